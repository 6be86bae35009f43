import { describe, expect, test } from "vitest";
import { addDays, type Days, daysAsked, daysInWords, firstDays, type Kind } from "./moments";

const HORIZON = 30;

function days(kind: Kind, featuresAsOf = "2026-10-01", outcomesAsOf = "2026-10-31"): Days {
  return { kind, featuresAsOf, outcomesAsOf };
}

test("days are added across months and leap days", () => {
  expect([addDays("2028-02-28", 2), addDays("2026-01-01", -1)]).toEqual(["2028-03-01", "2025-12-31"]);
});

test("at first, both days are today, and a table's outcomes would be known today", () => {
  const first = firstDays("2026-10-31", HORIZON);
  expect(daysAsked(first, HORIZON)).toEqual({});
  expect(daysAsked({ ...first, kind: "table" }, HORIZON)).toEqual({
    featuresAsOf: "2026-10-01",
    outcomesAsOf: "2026-10-31",
  });
});

test("days of their own are sent as they are, and an empty one is left out", () => {
  expect(daysAsked(days("days", "2026-10-01", "2026-11-15"), HORIZON)).toEqual({
    featuresAsOf: "2026-10-01",
    outcomesAsOf: "2026-11-15",
  });
  expect(daysAsked(days("days", "2026-10-01", ""), HORIZON)).toEqual({ featuresAsOf: "2026-10-01" });
});

describe("the sentence", () => {
  test.each([
    [days("now"), /as of today/],
    [days("table"), /as of Oct 31, 2026, 30 days later/],
    [days("table", ""), /need a day/],
    [days("days"), /cover the 30 days after the features\. Rows/],
    [days("days", "2026-10-01", "2026-10-30"), /do not cover the 30 days/],
    [days("days", "2026-10-01", ""), /not paired with these features/],
  ])("of %o", (chosen, words) => expect(daysInWords(chosen, HORIZON)).toMatch(words));
});
