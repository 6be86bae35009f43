/** The two days of a file: the day that its features describe, and the day on which it was known who had left. */
import { wholeDay } from "../formats";

/** "now": both are today. "table": outcomes of the horizon after the features. "days": two days of their own. */
export type Kind = "now" | "table" | "days";

export interface Days {
  kind: Kind;
  featuresAsOf: string;
  outcomesAsOf: string;
}

const DAY = 86_400_000;

/** A day some days after another, as in 2026-01-31. */
export function addDays(day: string, days: number): string {
  return new Date(Date.parse(day) + days * DAY).toISOString().slice(0, 10);
}

/** The days of a table whose outcomes are known today, and today for both days. */
export function firstDays(today: string, horizon: number): Days {
  return { kind: "now", featuresAsOf: addDays(today, -horizon), outcomesAsOf: today };
}

/** The days that the import is asked for; none for today. */
export function daysAsked(days: Days, horizon: number): { featuresAsOf?: string; outcomesAsOf?: string } {
  if (days.kind === "now") return {};
  if (days.kind === "table")
    return { featuresAsOf: days.featuresAsOf, outcomesAsOf: addDays(days.featuresAsOf, horizon) };
  return { featuresAsOf: days.featuresAsOf || undefined, outcomesAsOf: days.outcomesAsOf || undefined };
}

/** What the choice means for training, in a sentence. */
export function daysInWords(days: Days, horizon: number): string {
  if (days.kind === "now")
    return "Features are stored as of today, and outcomes as known today. The next training pairs them with features from before.";
  if (!days.featuresAsOf) return "The features need a day.";
  const outcomes = days.kind === "table" ? addDays(days.featuresAsOf, horizon) : days.outcomesAsOf;
  if (days.kind === "table")
    return `Outcomes are as of ${wholeDay(outcomes)}, ${horizon} days later. Each row with an outcome becomes a training row.`;
  if (!outcomes) return "Outcomes are as of the same day, and are not paired with these features.";
  return outcomes >= addDays(days.featuresAsOf, horizon)
    ? `The outcomes cover the ${horizon} days after the features. Rows with an outcome become training rows.`
    : `The outcomes do not cover the ${horizon} days after the features, so these features are not trained on yet.`;
}
