/** A customer's probability in steps: percentage points from the base probability to the customer's own. */
import type { Schemas } from "../../../client/api-client.js";
import { type FeatureSchema, labelOf, valuesText } from "./schema";

export type Score = Pick<
  Schemas["ScoreView"],
  "probability" | "base_probability" | "average_probability" | "contributions" | "features" | "reasons"
>;

export interface Step {
  feature: string;
  label: string;
  /** The value in words. */
  circumstance: string;
  points: number;
  /** Probability in points before and after this step. */
  from: number;
  to: number;
}

/** Percentage points by column; their sum is the difference between the base probability and the customer's. */
export function pointsByColumn(score: Score): Map<string, number> {
  const total = 100 * (score.probability - score.base_probability);
  const sum = Object.values(score.contributions).reduce((all, contribution) => all + contribution, 0);
  const [strongest] = score.reasons;
  const slope = strongest?.contribution
    ? strongest.points / strongest.contribution
    : Math.abs(sum) > 1e-9
      ? total / sum
      : 0;
  const points = new Map(Object.entries(score.contributions).map(([name, part]) => [name, part * slope]));
  for (const reason of score.reasons) points.set(reason.feature, reason.points);
  return points;
}

/** A step for each of the strongest columns and one for all others, so that the steps end at the customer's probability. */
export function waterfall(score: Score, schema: FeatureSchema, most = 8): Step[] {
  const sorted = [...pointsByColumn(score)].sort(([, a], [, b]) => Math.abs(b) - Math.abs(a));
  const strongest = sorted.length > most + 1 ? sorted.slice(0, most) : sorted;
  const steps: Step[] = [];
  let reached = 100 * score.base_probability;
  const add = (feature: string, label: string, circumstance: string, points: number) => {
    steps.push({ feature, label, circumstance, points, from: reached, to: reached + points });
    reached += points;
  };
  for (const [feature, points] of strongest) {
    add(feature, labelOf(schema, feature), circumstanceOf(score, schema, feature), points);
  }
  const rest = 100 * score.probability - reached;
  const others = sorted.length - strongest.length;
  if (others) add("", `${others} other columns`, "together", rest);
  const last = steps.at(-1);
  if (last && Math.abs(last.to - 100 * score.probability) < 0.05) last.to = 100 * score.probability;
  return steps;
}

/** The text of a reason without its points. */
export function circumstance(text: string): string {
  const end = text.lastIndexOf(": ");
  return end > 0 ? text.slice(0, end) : text;
}

function circumstanceOf(score: Score, schema: FeatureSchema, feature: string): string {
  const reason = score.reasons.find((candidate) => candidate.feature === feature);
  return reason ? circumstance(reason.text) : valuesText(schema, feature, score.features);
}

export interface ReasonChange {
  feature: string;
  label: string;
  before: number;
  after: number;
}

/** The columns whose effect on the score changed most; changes below 0.05 points are left out. */
export function reasonChanges(before: Score, after: Score, schema: FeatureSchema, most = 5): ReasonChange[] {
  const [old, now] = [pointsByColumn(before), pointsByColumn(after)];
  return [...new Set([...old.keys(), ...now.keys()])]
    .map((feature) => ({
      feature,
      label: labelOf(schema, feature),
      before: old.get(feature) ?? 0,
      after: now.get(feature) ?? 0,
    }))
    .filter((change) => Math.abs(change.after - change.before) >= 0.05)
    .sort((a, b) => Math.abs(b.after - b.before) - Math.abs(a.after - a.before))
    .slice(0, most);
}
