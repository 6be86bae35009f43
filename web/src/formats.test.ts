import { describe, expect, test } from "vitest";
import { ago, featureValue, money, moneyChange, NOTHING, percent, points } from "./formats";

describe("a share as per cent", () => {
  test.each([
    [0.1234, 1, "12.3 %"],
    [1, 1, "100.0 %"],
    [0, 1, "0.0 %"],
    [0.99949, 1, "99.9 %"],
    [0.99951, 1, "> 99.9 %"],
    [0.0004, 1, "< 0.1 %"],
    [0.996, 0, "> 99 %"],
    [0.004, 0, "< 1 %"],
    [1.2, 0, "120 %"],
    [null, 1, NOTHING],
  ])("%s with %s digits is %s", (share, digits, written) => expect(percent(share, digits)).toBe(written));
});

test.each([
  [0, "±$0"],
  [0.4, "±$0"],
  [-0.4, "±$0"],
  [1200, "+$1,200"],
  [-1200, "−$1,200"],
])("a change of %s in money is %s", (value, written) => expect(moneyChange(value, "USD")).toBe(written));

test("points carry their sign, and nothing is plus or minus", () => {
  expect([points(0.04), points(2), points(-2), points(undefined)]).toEqual(["±0.0", "+2.0", "−2.0", NOTHING]);
});

test("small amounts show cents, amounts without a currency show none of it", () => {
  expect([money(9.5, "USD"), money(950, "EUR"), money(950, null), money(null, "USD")]).toEqual([
    "$9.50",
    "€950",
    "950",
    NOTHING,
  ]);
});

test("time is told in the largest unit that fits", () => {
  const now = Date.parse("2026-05-10T12:00:00Z");
  expect(ago("2026-05-10T11:59:40Z", now)).toBe("just now");
  expect(ago("2026-05-10T09:00:00Z", now)).toBe("3 hours ago");
  expect(ago("2026-05-09T12:00:00Z", now)).toBe("yesterday");
  expect(ago(null, now)).toBe("never");
});

test("a value that is not known says so", () => {
  expect([featureValue(null, "hours"), featureValue(true), featureValue(1234.567, "hours")]).toEqual([
    "not known",
    "yes",
    "1,234.57 hours",
  ]);
});
