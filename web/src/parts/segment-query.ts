/** A segment as a person builds it, as the address says it, and as the API is asked. */
import type { Schemas } from "../../../client/api-client.js";
import { LEVELS, type RiskLevel } from "./level";
import { type Column, type FeatureSchema, levelsOf, valueText } from "./schema";

/** The API's operators; `known` is its `missing` turned round. */
export type Operator = Schemas["Operator"] | "known";
export type Bound = string | number | boolean | string[] | null;

export interface Criterion {
  column: string;
  operator: Operator;
  /** null until it is given. */
  bound: Bound;
}

export interface Segment {
  criteria: Criterion[];
  levels: RiskLevel[];
}

export const EVERYBODY: Segment = { criteria: [], levels: [] };

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
  ["missing", "is not known"],
  ["known", "is known"],
];

/** The comparisons that make sense for a column, in words. */
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

/** A criterion on a column before anything is chosen; for a kind with few values, one of them. */
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

/** Whether enough is given to ask for it. */
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

/** The segment in words, for headings and for those who listen. */
export function wordsOf(segment: Segment, schema: FeatureSchema): string {
  const parts = segment.criteria.filter(complete).map(({ column: name, operator, bound }) => {
    const column = schema.columns.find((found) => found.name === name);
    if (!column) return name;
    const how = operatorsOf(column).find(([fitting]) => fitting === operator)?.[1] ?? operator;
    if (takesNoBound(operator)) return `${column.label} ${how}`;
    const shown = Array.isArray(bound) ? bound.join(", ") : valueText(column, bound);
    return `${column.label} ${Array.isArray(bound) && bound.length === 1 ? "is" : how} ${shown}`;
  });
  if (segment.levels.length) parts.push(`risk ${segment.levels.join(" or ")}`);
  return parts.length ? parts.join(" · ") : "Everybody who is scored";
}

/** As in `a=plan.in.["basic"]&a=tenure.ge.12&a.level=high`; `name` is the a of it. */
export function writeSegment(query: URLSearchParams, name: string, segment: Segment): void {
  for (const criterion of segment.criteria.filter(complete))
    query.append(name, `${criterion.column}.${criterion.operator}.${JSON.stringify(criterion.bound)}`);
  for (const level of segment.levels) query.append(`${name}.level`, level);
}

/** What the address names of a segment; what the schema does not have, or does not fit it, is left out. */
export function readSegment(query: URLSearchParams, name: string, schema: FeatureSchema): Segment {
  const criteria = query.getAll(name).flatMap((text) => criterionOf(text, schema) ?? []);
  const wanted = query.getAll(`${name}.level`);
  return { criteria, levels: LEVELS.filter((level) => wanted.includes(level)) };
}

function criterionOf(text: string, schema: FeatureSchema): Criterion | null {
  const [, name, operator, written] = /^(\w+)\.(\w+)\.(.*)$/s.exec(text) ?? [];
  const column = schema.columns.find((found) => found.name === name);
  const fitting = column && operatorsOf(column).find(([found]) => found === operator)?.[0];
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
