import { describe, expect, test } from "vitest";
import { changeOf, type Month, type Rate, rateInWords, withoutRate } from "./churn";

const RATE: Rate = {
  rate: 0.021,
  left: 105,
  active_at_start: 5000,
  unknown: 0,
  period: "2026-10",
  starts_on: "2026-10-01",
  ends_on: "2026-10-31",
};

function month(name: string, rate: number | null, left = 100, unknown = 0): Month {
  return { month: name, rate, left, active_at_start: 5000, unknown };
}

test("the rate names its month and the customers behind it", () => {
  expect(rateInWords(RATE)).toBe("October 2026: 105 of 5,000 customers who were active on October 1 left");
  expect(rateInWords({ ...RATE, unknown: 9 })).toMatch(/left · not known: 9$/);
});

describe("the change", () => {
  test.each([
    [[month("2026-09", 0.018), month("2026-10", 0.021)], "+0.3 points since September 2026"],
    [[month("2026-09", null), month("2026-10", 0.021)], null],
    [[month("2026-10", 0.021), month("2026-11", null)], null],
  ])("is from the month before", (months, words) => expect(changeOf(RATE, months)).toBe(words));
});

test("without a rate, the missing outcomes are named", () => {
  expect(withoutRate([])).toContain("when it is over");
  expect(withoutRate([month("2026-10", null, 105, 1000)])).toMatch(
    /^October 2026: 105 of 5,000 customers who were active on October 1 left, and of 1,000 nothing is known/,
  );
});
