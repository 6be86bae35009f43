/** Performance by month: what the plot shows, and its sentences. */
import type { Schemas } from "../../../client/api-client.js";
import { count, counted, decimal, monthAndYear, wholeDay } from "../formats";

export type Period = Schemas["PeriodView"];

const DAY = 86_400_000;

/** The months in which a model version was used first, oldest first. */
export function firstMonths(periods: Period[]): { period: string; version: string }[] {
  const seen = new Map<string, string>();
  for (const { period, model_version } of periods) if (!seen.has(model_version)) seen.set(model_version, period);
  return [...seen].map(([version, period]) => ({ version, period }));
}

/** The begin, the middle and the end of a month in UTC. */
export function placeOf(period: string): { start: Date; middle: Date; end: Date } {
  const start = new Date(`${period}-01`);
  const end = new Date(Date.UTC(start.getUTCFullYear(), start.getUTCMonth() + 1, 1));
  return { start, middle: new Date((start.getTime() + end.getTime()) / 2), end };
}

/** A moment some days away. */
export const daysLater = (moment: Date, days: number): Date => new Date(moment.getTime() + days * DAY);

/** When the next month can be judged; null where all months are. */
export function nextInWords(day: string | null, judged: boolean, today = dayOfToday()): string | null {
  const which = judged ? "The next month" : "The first month";
  if (day === null) return judged ? null : `${which} can be judged one horizon after the first scoring run.`;
  return `${which} ${judgedInWords(day, today)}`;
}

/** Why the version in service has no realised figures yet, and when it has them first. */
export function firstInWords(day: string | null, today = dayOfToday()): string {
  if (day === null) return "The model has scored no customers yet.";
  return `The outcome of a prediction is known when its horizon has ended. The version in service ${judgedInWords(day, today)}`;
}

function judgedInWords(day: string, today: string): string {
  return day > today
    ? `can be judged on ${wholeDay(day)}, when its outcomes are known.`
    : `can be judged once outcomes through ${wholeDay(day)} are imported or recorded.`;
}

const dayOfToday = (): string => new Date().toISOString().slice(0, 10);

/** The newest judged month in a sentence, if the realised AUC is outside the promised interval. */
export function brokenPromise(periods: Period[]): string | null {
  const newest = periods.filter(({ realised }) => realised).at(-1);
  if (newest?.kept_promise !== false || !newest.promised || !newest.realised) return null;
  const { promised, realised } = newest;
  const side = (realised.roc_auc ?? 0) < (promised.roc_auc ?? 0) ? "below" : "above";
  return (
    `${monthAndYear(newest.period)}: the realised AUC of ${decimal(realised.roc_auc)} is ${side} the promised interval of ` +
    `${decimal(promised.roc_auc_interval?.low)} to ${decimal(promised.roc_auc_interval?.high)}, by more than chance explains.`
  );
}

/** The expected and the observed churners of the newest judged month. */
export function churnersInWords(periods: Period[]): string | null {
  const newest = periods.filter(({ realised }) => realised).at(-1);
  if (!newest?.realised) return null;
  const { expected, observed } = newest.realised;
  return `${monthAndYear(newest.period)}: ${counted(Math.round(expected), "churner")} expected, ${count(observed)} observed.`;
}
