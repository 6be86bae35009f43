/** The feature schema for the pages: columns, the text of their values, and the range of their sliders. */
import type { Schemas } from "../../../client/api-client.js";
import { featureValue } from "../formats";

export type FeatureSchema = Schemas["FeatureSchema"];
export type Column = Schemas["Column"];
export type Value = string | boolean | number | null;
export type Features = Record<string, Value>;

/** The column that groups results, such as the plan; undefined when the schema has no group. */
export function groupColumn(schema: FeatureSchema): Column | undefined {
  return schema.columns.find(({ name }) => name === schema.group);
}

export function levelsOf(column: Column): string[] {
  return column.levels.map(String);
}

/** The values of a boolean or a category, with their texts. */
export function optionsOf(column: Column): [string, string][] {
  if (column.kind !== "boolean") return levelsOf(column).map((level) => [level, level]);
  return [
    ["true", "yes"],
    ["false", "no"],
  ];
}

/** The most levels that are shown together. */
export const AT_A_GLANCE = 60;

const MOST_MATCHES = 20;

/** The levels to show of many: the chosen ones, then those that begin with a text, then those that contain it. */
export function matching(levels: string[], text: string, chosen: string[]): string[] {
  const sought = text.trim().toLowerCase();
  const others = levels.filter((level) => !chosen.includes(level) && level.toLowerCase().includes(sought));
  const begins = (level: string) => level.toLowerCase().startsWith(sought);
  const ordered = [...others.filter(begins), ...others.filter((level) => !begins(level))];
  return [...levels.filter((level) => chosen.includes(level)), ...ordered.slice(0, MOST_MATCHES)];
}

/** A column's value with its unit; "unknown" when the value is missing. */
export function valueText(column: Column, value: Value | undefined): string {
  return featureValue(value, value === 1 ? column.unit.replace(/([a-z][^su])s$/, "$1") : column.unit);
}

/** The columns that a contribution speaks of: one, or the two of a pair ("fee & delivery"). */
function columnsOf(schema: FeatureSchema, feature: string): (Column | undefined)[] {
  return feature.split(" & ").map((name) => schema.columns.find((column) => column.name === name));
}

/** The label of a contribution's column or pair: "Fee", "Fee with delivery". Names that the schema does not have stay names. */
export function labelOf(schema: FeatureSchema, feature: string): string {
  const [first, second] = columnsOf(schema, feature);
  if (!first) return feature;
  return second ? `${first.label} with ${withinSentence(second.label)}` : first.label;
}

/** A customer's value of a contribution's column, or the values of a pair: "7.98 with 7Day". */
export function valuesText(schema: FeatureSchema, feature: string, features: Features): string {
  const texts = columnsOf(schema, feature).map((column) => column && valueText(column, features[column.name]));
  return texts.filter((text) => text !== undefined).join(" with ");
}

/** A label after other words: its first letter is small, unless it begins with an abbreviation. */
function withinSentence(label: string): string {
  return /^.\p{Lu}/u.test(label) ? label : label.charAt(0).toLowerCase() + label.slice(1);
}

export interface Range {
  min: number;
  max: number;
  step: number;
}

/** The range of a slider: the column's limits, or a range around the current value where it has no limits. */
export function sliderRange(column: Column, current: number | null): Range {
  const reach = Math.max(Math.abs(current ?? 0) * 2, 10);
  const min = column.min ?? Math.min(0, (current ?? 0) - (current && current < 0 ? reach : 0));
  const max = Math.max(column.max ?? roundUp(Math.max(min, 0) + reach), min);
  return { min, max, step: column.kind === "integer" ? 1 : fineStep(max - min) };
}

/** A round step that divides a range into at least 100 parts. */
function fineStep(width: number): number {
  if (width <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(width / 100));
  const fitting = [5, 2, 1].find((factor) => width / (factor * power) >= 100) ?? 1;
  return Number((fitting * power).toPrecision(1));
}

function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return Math.ceil(value / power) * power;
}
