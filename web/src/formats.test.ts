import { describe, expect, test, vi } from "vitest";
import {
  ago,
  counted,
  featureValue,
  money,
  moneyChange,
  NOTHING,
  percent,
  pointSize,
  points,
  rowRange,
  shareRange,
  signed,
} from "./formats";

describe("a range of shares", () => {
  test.each([
    [0.117, 0.194, "between 12% and 19%"],
    [0.011, 0.024, "between 1.1% and 2.4%"],
    [0, 0.024, "at most 2.4%"],
    [0.634, 1, "at least 63%"],
  ])("%s to %s is %s", (low, high, written) => expect(shareRange({ low, high })).toBe(written));
});

describe("a share as a percentage", () => {
  test.each([
    [0.1234, 1, "12.3%"],
    [1, 1, "100.0%"],
    [0, 1, "0.0%"],
    [0.99949, 1, "99.9%"],
    [0.99951, 1, "> 99.9%"],
    [0.0004, 1, "< 0.1%"],
    [0.996, 0, "> 99%"],
    [0.004, 0, "< 1%"],
    [1.2, 0, "120%"],
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

test("a difference has a sign, and zero has ±", () => {
  expect([signed(0.04), signed(2), signed(-2), signed(undefined)]).toEqual(["±0.0", "+2.0", "−2.0", NOTHING]);
  expect([points(3.21), points(-3.21), pointSize(-3.21)]).toEqual(["+3.2 points", "−3.2 points", "3.2 points"]);
});

test("a day of the calendar is the same day west of Greenwich", async () => {
  vi.stubEnv("TZ", "America/Los_Angeles");
  vi.resetModules();
  const west = await import("./formats");
  vi.unstubAllEnvs();
  expect(west.date("2026-10-31")).toBe("Oct 30, 2026"); // a moment, in the reader's time zone
  expect([west.wholeDay("2026-10-31"), west.dayAndMonth("2026-10-01"), west.monthAndYear("2026-10")]).toEqual([
    "Oct 31, 2026",
    "October 1",
    "October 2026",
  ]);
});

test("counts name their things", () => {
  expect([counted(1, "customer"), counted(0, "customer"), counted(1234, "customer")]).toEqual([
    "1 customer",
    "0 customers",
    "1,234 customers",
  ]);
  expect([rowRange(0, 20), rowRange(1000, 1)]).toEqual(["1–20", "1,001–1,001"]);
});

test("small amounts show cents, and amounts without a currency show no currency", () => {
  expect([money(9.5, "USD"), money(950, "EUR"), money(950, null), money(null, "USD")]).toEqual([
    "$9.50",
    "€950",
    "950",
    NOTHING,
  ]);
});

test("time is written in the largest unit that fits", () => {
  const now = Date.parse("2026-05-10T12:00:00Z");
  expect(ago("2026-05-10T11:59:40Z", now)).toBe("just now");
  expect(ago("2026-05-10T09:00:00Z", now)).toBe("3 hours ago");
  expect(ago("2026-05-09T12:00:00Z", now)).toBe("yesterday");
  expect(ago(null, now)).toBe("never");
});

test("a feature's value has its unit, an amount of money its currency, and a missing value is unknown", () => {
  const values = [featureValue(null, "hours"), featureValue(true), featureValue(1234.567, "hours")];
  expect(values).toEqual(["unknown", "yes", "1,234.57 hours"]);
  expect(featureValue(20.989, "USD")).toBe("$20.99");
});
