import { describe, expect, it } from "vitest";
import type { FeatureSchema } from "./schema";
import {
  complete,
  firstCriterion,
  operatorsOf,
  readSegment,
  requestOf,
  type Segment,
  wordsOf,
  writeSegment,
} from "./segment-query";

const columns = [
  { name: "PaymentMethod", label: "Payment", kind: "category", levels: ["Bank transfer (automatic)", "Mailed, check"] },
  { name: "tenure", label: "Tenure", kind: "integer", unit: "months", levels: [], missing: true },
  { name: "senior", label: "Senior", kind: "boolean", levels: [] },
  { name: "since", label: "Since", kind: "date", levels: [] },
].map((column) => ({ unit: "", missing: false, ...column }));
const schema = { columns } as unknown as FeatureSchema;
const [payment, tenure, senior] = schema.columns as [never, never, never];

const segment: Segment = {
  criteria: [
    { column: "PaymentMethod", operator: "in", bound: ["Mailed, check", "Bank transfer (automatic)"] },
    { column: "tenure", operator: "lt", bound: 12.5 },
    { column: "tenure", operator: "known", bound: true },
    { column: "senior", operator: "eq", bound: false },
    { column: "since", operator: "ge", bound: "2026-01-31" },
  ],
  levels: ["high", "critical"],
};

describe("a segment in the address", () => {
  it("survives the way into the address and back", () => {
    const query = new URLSearchParams();
    writeSegment(query, "a", segment);
    const again = new URLSearchParams(query.toString());
    expect(readSegment(again, "a", schema)).toEqual(segment);
    expect(readSegment(again, "b", schema)).toEqual({ criteria: [], levels: [] });
  });

  it.each([
    "nothing",
    "gone.ge.1",
    "tenure.in.[1]",
    'tenure.ge."x"',
    "tenure.ge.{",
    "PaymentMethod.in.7",
    'PaymentMethod.in.["Cash"]',
    'since.ge."soon"',
  ])("drops a condition that does not fit: %s", (text) => {
    expect(readSegment(new URLSearchParams([["a", text]]), "a", schema).criteria).toEqual([]);
  });
});

describe("a segment for the API", () => {
  it("uses the operators of the API", () => {
    expect(requestOf(segment)).toEqual({
      criteria: [
        { column: "PaymentMethod", op: "in", value: ["Mailed, check", "Bank transfer (automatic)"] },
        { column: "tenure", op: "lt", value: 12.5 },
        { column: "tenure", op: "missing", value: false },
        { column: "senior", op: "eq", value: false },
        { column: "since", op: "ge", value: "2026-01-31" },
      ],
      levels: ["high", "critical"],
    });
  });

  it("drops incomplete conditions", () => {
    expect(complete(firstCriterion(tenure))).toBe(false);
    expect(complete(firstCriterion(payment))).toBe(false);
    expect(requestOf({ criteria: [firstCriterion(tenure)], levels: [] }).criteria).toEqual([]);
    expect(complete(firstCriterion(senior))).toBe(true);
  });
});

it("offers only comparisons that fit the column", () => {
  const of = (column: never) => operatorsOf(column).map(([operator]) => operator);
  expect(of(payment)).toEqual(["in", "ne"]);
  expect(of(senior)).toEqual(["eq"]);
  expect(of(tenure)).toContain("missing");
});

it("describes a segment in words", () => {
  expect(wordsOf(segment, schema)).toBe(
    "Payment is one of Mailed, check, Bank transfer (automatic) · Tenure less than 12.5 months · Tenure is known · Senior is no · Since on or after 2026-01-31 · risk high or critical",
  );
  expect(wordsOf({ criteria: [], levels: [] }, schema)).toBe("All scored customers");
});
