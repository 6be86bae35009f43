/** The days of a customer with the business, in words and as the spans of a plot. */
import type { Schemas } from "../../../client/api-client.js";
import { wholeDay } from "../formats";

export type Life = Schemas["LifeView"];

/** A stretch of days in a plot: known as a customer, or the days on which the customer may have left. */
export interface Span {
  kind: "customer" | "leaving";
  from: Date;
  to: Date;
}

export function beginning(life: Life): string {
  if (life.began_on) return `Customer since ${wholeDay(life.began_on)}`;
  return life.first_seen_on ? `First seen on ${wholeDay(life.first_seen_on)}` : "First day not known";
}

/** The end of a life, or the last day on which the customer was one. */
export function ending(life: Life): string {
  if (life.left_on_exact) return `Left on ${wholeDay(life.left_on)}`;
  if (life.left_on)
    return life.left_after
      ? `Left between ${wholeDay(nextDay(life.left_after))} and ${wholeDay(life.left_on)}`
      : `Left on or before ${wholeDay(life.left_on)}`;
  return life.observed_until ? `Known as a customer until ${wholeDay(life.observed_until)}` : "No end known";
}

/** The spans of a life, from the first known day on. */
export function spansOf(life: Life): Span[] {
  const start = life.began_on ?? life.first_seen_on ?? life.left_after ?? life.observed_until ?? life.left_on;
  if (!start) return [];
  const known = life.left_on_exact ? life.left_on : (life.left_after ?? life.observed_until ?? start);
  const spans: Span[] = [span("customer", start, latest(start, known ?? start))];
  if (life.left_on && !life.left_on_exact && life.left_after)
    spans.push(span("leaving", life.left_after, life.left_on));
  return spans;
}

/** The domain of a plot with these moments: at least two months wide, so that a single day is a point in it. */
export function domainOf(moments: Date[]): [Date, Date] {
  const times = moments.map((moment) => moment.getTime());
  const [first, last] = [Math.min(...times), Math.max(...times)];
  const room = Math.max(0, 60 * 86_400_000 - (last - first)) / 2;
  return [new Date(first - room), new Date(last + room)];
}

function span(kind: Span["kind"], from: string, to: string): Span {
  return { kind, from: new Date(from), to: new Date(to) };
}

function latest(one: string, other: string): string {
  return one > other ? one : other;
}

function nextDay(day: string): string {
  return new Date(Date.parse(day) + 86_400_000).toISOString().slice(0, 10);
}
