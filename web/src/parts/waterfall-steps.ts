/** How a customer's probability comes about, in percentage points from the base to this customer's own. */
import type { Schemas } from "../../../client/api-client.js";
import { type FeatureSchema, valueText } from "./schema";

export type Score = Pick<
  Schemas["ScoreView"],
  "probability" | "base_probability" | "contributions" | "features" | "reasons"
>;

export interface Step {
  feature: string;
  label: string;
  /** The value as people say it. */
  circumstance: string;
  points: number;
  /** Probability in points before and after this step. */
  from: number;
  to: number;
}

/** Percentage points by column; they add up to the way from the base probability to this one. */
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

/** The strongest columns one by one, the others together, so that the steps always end at the customer's probability. */
export function waterfall(score: Score, schema: FeatureSchema, most = 8): Step[] {
  const sorted = [...pointsByColumn(score)].sort(([, one], [, other]) => Math.abs(other) - Math.abs(one));
  const told = sorted.length > most + 1 ? sorted.slice(0, most) : sorted;
  const steps: Step[] = [];
  let reached = 100 * score.base_probability;
  const add = (feature: string, label: string, circumstance: string, points: number) => {
    steps.push({ feature, label, circumstance, points, from: reached, to: reached + points });
    reached += points;
  };
  for (const [feature, points] of told) {
    const column = schema.columns.find(({ name }) => name === feature);
    add(feature, column?.label ?? feature, circumstanceOf(score, schema, feature), points);
  }
  const rest = 100 * score.probability - reached;
  if (told.length < sorted.length) {
    const others = sorted.slice(told.length).length;
    add("", `${others} other columns`, "together", rest);
  }
  const last = steps.at(-1);
  if (last && Math.abs(last.to - 100 * score.probability) < 0.05) last.to = 100 * score.probability;
  return steps;
}

/** A reason without its points: what is so about this customer. */
export function circumstance(text: string): string {
  const end = text.lastIndexOf(": ");
  return end > 0 ? text.slice(0, end) : text;
}

function circumstanceOf(score: Score, schema: FeatureSchema, feature: string): string {
  const reason = score.reasons.find((found) => found.feature === feature);
  if (reason) return circumstance(reason.text);
  const column = schema.columns.find(({ name }) => name === feature);
  return column ? valueText(column, score.features[feature]) : "";
}

export interface ReasonChange {
  feature: string;
  label: string;
  before: number;
  after: number;
}

/** The columns whose part in the score changed most, those that hardly moved left out. */
export function reasonChanges(before: Score, after: Score, schema: FeatureSchema, most = 5): ReasonChange[] {
  const [old, now] = [pointsByColumn(before), pointsByColumn(after)];
  return [...new Set([...old.keys(), ...now.keys()])]
    .map((feature) => ({
      feature,
      label: schema.columns.find(({ name }) => name === feature)?.label ?? feature,
      before: old.get(feature) ?? 0,
      after: now.get(feature) ?? 0,
    }))
    .filter((change) => Math.abs(change.after - change.before) >= 0.05)
    .sort((one, other) => Math.abs(other.after - other.before) - Math.abs(one.after - one.before))
    .slice(0, most);
}
