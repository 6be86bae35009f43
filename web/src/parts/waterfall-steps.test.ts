import { describe, expect, it } from "vitest";
import type { FeatureSchema } from "./schema";
import { circumstance, pointsByColumn, reasonChanges, type Score, waterfall } from "./waterfall-steps";

const names = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"];
const schema = {
  columns: names.map((name) => ({ name, label: name.toUpperCase(), unit: "" })),
} as unknown as FeatureSchema;

function scoreOf(contributions: Record<string, number>, probability: number, base = 0.12): Score {
  const sum = Object.values(contributions).reduce((all, part) => all + part, 0);
  const slope = sum ? (probability - base) / sum : 0.1;
  const [feature, contribution] = Object.entries(contributions).sort(
    ([, a], [, b]) => Math.abs(b) - Math.abs(a),
  )[0] as [string, number];
  const points = 100 * contribution * slope;
  const reason = { feature, label: feature, value: 1, text: `so: it is: ${points} points`, contribution, points };
  return { probability, base_probability: base, contributions, features: { a: 1 }, reasons: [reason] };
}

describe("waterfall", () => {
  it("goes from the base to the customer's probability without a gap", () => {
    const steps = waterfall(scoreOf({ a: 2, b: -0.5, c: 0.25 }, 0.8), schema);
    expect(steps[0]?.from).toBeCloseTo(12);
    expect(steps.at(-1)?.to).toBeCloseTo(80);
    for (const [place, step] of steps.entries()) {
      expect(step.to - step.from).toBeCloseTo(step.points);
      if (place) expect(step.from).toBe(steps[place - 1]?.to);
    }
    expect(steps.map(({ label }) => label)).toEqual(["A", "B", "C"]);
  });

  it("sums the weak columns in one step and still adds up", () => {
    const contributions = Object.fromEntries(names.map((name, place) => [name, (place % 2 ? -1 : 1) * (12 - place)]));
    const steps = waterfall(scoreOf(contributions, 0.4), schema);
    expect(steps).toHaveLength(9);
    expect(steps.at(-1)?.label).toBe("4 other columns");
    expect(steps.reduce((sum, { points }) => sum + points, 0)).toBeCloseTo(28);
  });

  it("splits a score that equals the base", () => {
    const points = pointsByColumn(scoreOf({ a: 1, b: -1 }, 0.12));
    expect((points.get("a") ?? 0) + (points.get("b") ?? 0)).toBeCloseTo(0);
  });

  it("is empty without contributions", () => {
    const nothing: Score = { probability: 0.1, base_probability: 0.1, contributions: {}, features: {}, reasons: [] };
    expect(waterfall(nothing, schema)).toEqual([]);
  });
});

it("a pair has the labels and the values of both columns", () => {
  const score = { ...scoreOf({ a: 2, "a & b": 0.5, "a & z": 0.1 }, 0.8), features: { a: 1, b: null } };
  const [, pair, unknown] = waterfall(score, schema);
  expect([pair?.label, pair?.circumstance]).toEqual(["A with b", "1 with unknown"]);
  expect(unknown?.label).toBe("A");
});

it("circumstance drops the points", () => {
  expect(circumstance("last login 211 days ago: +84 points")).toBe("last login 211 days ago");
  expect(circumstance("plan: gold: -3 points")).toBe("plan: gold");
  expect(circumstance("no points here")).toBe("no points here");
});

it("reasonChanges lists the largest changes first", () => {
  const changes = reasonChanges(scoreOf({ a: 2, b: 1 }, 0.8), scoreOf({ a: -1, b: 1.5 }, 0.15), schema);
  expect(changes[0]?.feature).toBe("a");
  expect(changes.every(({ before, after }) => before !== after)).toBe(true);
});
