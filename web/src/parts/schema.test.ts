import { describe, expect, it } from "vitest";
import { type Column, groupColumn, sliderRange, valueText } from "./schema";

const column = (fields: Partial<Column>): Column => ({
  name: "bill",
  label: "Bill",
  kind: "number",
  meaning: "",
  phrase: "",
  phrases: {},
  unit: "",
  min: null,
  max: null,
  levels: [],
  other: "",
  format: "",
  decimal: null,
  source: "",
  missing: false,
  missing_values: [],
  feature: true,
  monotone: null,
  action: null,
  ...fields,
});

describe("sliderRange", () => {
  it("keeps to the column's limits", () => {
    expect(sliderRange(column({ min: 0, max: 744 }), 20)).toEqual({ min: 0, max: 744, step: 5 });
    expect(sliderRange(column({ kind: "integer", min: 1, max: 20 }), null)).toEqual({ min: 1, max: 20, step: 1 });
  });

  it("reaches around the value where there are no limits", () => {
    expect(sliderRange(column({}), 37)).toEqual({ min: 0, max: 80, step: 0.5 });
    expect(sliderRange(column({}), null)).toEqual({ min: 0, max: 10, step: 0.1 });
    const negative = sliderRange(column({}), -40);
    expect(negative.min).toBeLessThan(-40);
    expect(negative.max).toBeGreaterThan(-40);
  });
});

it("writes values with their unit", () => {
  expect(valueText(column({ unit: "USD" }), 12.5)).toBe("$12.50");
  expect(valueText(column({ unit: "months" }), 1)).toBe("1 month");
  expect(valueText(column({ unit: "°C, celsius" }), 1)).toBe("1 °C, celsius");
  expect(valueText(column({ kind: "boolean" }), true)).toBe("yes");
  expect(valueText(column({}), undefined)).toBe("unknown");
});

it("has no group where the schema has none", () => {
  const schema = { columns: [column({ name: "plan" })], group: null } as unknown as Parameters<typeof groupColumn>[0];
  expect(groupColumn(schema)).toBeUndefined();
  expect(groupColumn({ ...schema, group: "plan" })?.name).toBe("plan");
});
