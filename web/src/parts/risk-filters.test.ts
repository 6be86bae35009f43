import { describe, expect, it } from "vitest";
import { addressOf, boundary, filtersOf, leastProbability, type RiskFilters } from "./risk-filters";

const queryOf = (address: string) => Object.fromEntries(new URL(address, "http://x").searchParams);

describe("filters in the address", () => {
  it.each<Partial<RiskFilters>>([
    {},
    { group: "Month-to-month & more" },
    { from: "critical", least: 0.35, sort: "value", cursor: "abc_-" },
    { least: 0.001 },
  ])("come back as they went: %j", (given) => {
    const filters = filtersOf(queryOf(addressOf(given)));
    expect(filters).toEqual({ group: "", from: "medium", least: null, sort: "probability", cursor: "", ...given });
  });

  it("are plain when nothing is narrowed", () => expect(addressOf({})).toBe("/at-risk"));

  it("that make no sense are ignored", () => {
    expect(filtersOf({ min: "many", from: "low", sort: "name" })).toEqual(filtersOf({}));
    expect(filtersOf({ min: "140" }).least).toBeNull();
  });
});

describe("the least probability", () => {
  it("of a level is what the API defines", () => {
    expect(boundary("medium", 0.26)).toBeCloseTo(0.13);
    expect(boundary("high", 0.26)).toBe(0.26);
    expect(boundary("critical", 0.26)).toBeCloseTo(0.63);
  });

  it("is the higher of level and minimum", () => {
    expect(leastProbability(filtersOf({ from: "high", min: "10" }), 0.26)).toBe(0.26);
    expect(leastProbability(filtersOf({ from: "high", min: "40" }), 0.26)).toBe(0.4);
    expect(leastProbability(filtersOf({}), 0.26)).toBeUndefined();
    expect(leastProbability(filtersOf({ from: "high" }), null)).toBeUndefined();
  });
});
