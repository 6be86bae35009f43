/** A segment in the builder, in the address and in the request to the API. */
import type { Schemas } from "../../../client/api-client.js";
import { LEVELS, type RiskLevel } from "./level";
import { type Column, type FeatureSchema, levelsOf, valueText } from "./schema";

/** The API's operators; `known` is the opposite of `missing`. */
export type Operator = Schemas["Operator"] | "known";
export type Bound = string | number | boolean | string[] | null;

export interface Criterion {
  column: string;
  operator: Operator;
  /** null until a value is entered. */
  bound: Bound;
}

export interface Segment {
  criteria: Criterion[];
  levels: RiskLevel[];
}

export const ALL_SCORED: Segment = { criteria: [], levels: [] };

const ORDERED: [Operator, string][] = [
  ["ge", "at least"],
  ["le", "at most"],
  ["gt", "more than"],
  ["lt", "less than"],
  ["eq", "exactly"],
  ["ne", "not"],
];
const DATED: [Operator, string][] = [
  ["ge", "on or after"],
  ["le", "on or before"],
  ["gt", "after"],
  ["lt", "before"],
  ["eq", "on"],
];
const KNOWN: [Operator, string][] = [
  ["missing", "is unknown"],
  ["known", "is known"],
];

/** The comparisons that fit a column, with their texts. */
export function operatorsOf(column: Column): [Operator, string][] {
  const fitting: Record<Column["kind"], [Operator, string][]> = {
    number: ORDERED,
    integer: ORDERED,
    date: DATED,
    boolean: [["eq", "is"]],
    category: [
      ["in", "is one of"],
      ["ne", "is not"],
    ],
  };
  return [...fitting[column.kind], ...(column.missing ? KNOWN : [])];
}

/** A new criterion on a column; for a kind with few values, with the first value. */
export function firstCriterion(column: Column): Criterion {
  const [[operator] = ["missing" as const]] = operatorsOf(column);
  return { column: column.name, operator, bound: firstBound(column, operator) };
}

export function firstBound(column: Column, operator: Operator): Bound {
  if (takesNoBound(operator) || column.kind === "boolean") return true;
  if (column.kind === "category") return operator === "in" ? [] : (levelsOf(column)[0] ?? null);
  return null;
}

export const takesNoBound = (operator: Operator): boolean => operator === "missing" || operator === "known";

/** Whether the criterion has a value, and so can be sent. */
export function complete({ bound }: Criterion): boolean {
  return Array.isArray(bound) ? bound.length > 0 : bound !== null && bound !== "";
}

export function requestOf(segment: Segment): Pick<Schemas["SegmentRequest"], "criteria" | "levels"> {
  return {
    criteria: segment.criteria.filter(complete).map(({ column, operator, bound }) => {
      if (takesNoBound(operator)) return { column, op: "missing" as const, value: operator === "missing" };
      return { column, op: operator as Schemas["Operator"], value: bound };
    }),
    levels: segment.levels,
  };
}

/** The segment in words, for headings and screen readers. */
export function wordsOf(segment: Segment, schema: FeatureSchema): string {
  const parts = segment.criteria.filter(complete).map(({ column: name, operator, bound }) => {
    const column = schema.columns.find((candidate) => candidate.name === name);
    if (!column) return name;
    const how = operatorsOf(column).find(([candidate]) => candidate === operator)?.[1] ?? operator;
    if (takesNoBound(operator)) return `${column.label} ${how}`;
    const shown = Array.isArray(bound) ? bound.join(", ") : valueText(column, bound);
    return `${column.label} ${Array.isArray(bound) && bound.length === 1 ? "is" : how} ${shown}`;
  });
  if (segment.levels.length) parts.push(`risk ${segment.levels.join(" or ")}`);
  return parts.length ? parts.join(" · ") : "All scored customers";
}

/** Written as in `a=plan.in.["basic"]&a=tenure.ge.12&a.level=high`, with the segment's name a. */
export function writeSegment(query: URLSearchParams, name: string, segment: Segment): void {
  for (const criterion of segment.criteria.filter(complete))
    query.append(name, `${criterion.column}.${criterion.operator}.${JSON.stringify(criterion.bound)}`);
  for (const level of segment.levels) query.append(`${name}.level`, level);
}

/** A segment from the address, without the conditions that do not fit the schema. */
export function readSegment(query: URLSearchParams, name: string, schema: FeatureSchema): Segment {
  const criteria = query.getAll(name).flatMap((text) => criterionOf(text, schema) ?? []);
  const named = query.getAll(`${name}.level`);
  return { criteria, levels: LEVELS.filter((level) => named.includes(level)) };
}

function criterionOf(text: string, schema: FeatureSchema): Criterion | null {
  const [, name, operator, written] = /^(\w+)\.(\w+)\.(.*)$/s.exec(text) ?? [];
  const column = schema.columns.find((candidate) => candidate.name === name);
  const fitting = column && operatorsOf(column).find(([candidate]) => candidate === operator)?.[0];
  if (!column || !fitting || written === undefined) return null;
  try {
    const bound = JSON.parse(written) as Bound;
    return fits(column, fitting, bound) ? { column: column.name, operator: fitting, bound } : null;
  } catch {
    return null;
  }
}

function fits(column: Column, operator: Operator, bound: Bound): boolean {
  if (takesNoBound(operator)) return bound === true;
  const known = (level: unknown) => levelsOf(column).includes(String(level));
  if (operator === "in") return Array.isArray(bound) && bound.every(known);
  if (column.kind === "category") return known(bound);
  if (column.kind === "boolean") return typeof bound === "boolean";
  if (column.kind === "date") return typeof bound === "string" && /^\d{4}-\d\d-\d\d$/.test(bound);
  return typeof bound === "number" && Number.isFinite(bound);
}
