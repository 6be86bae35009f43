import { describe, expect, it } from "vitest";
import { addressOf, type Bounds, filtersOf, leastProbability, type RiskFilters } from "./risk-filters";

const queryOf = (address: string) => Object.fromEntries(new URL(address, "http://x").searchParams);

describe("filters in the address", () => {
  it.each<Partial<RiskFilters>>([
    {},
    { group: "Month-to-month & more" },
    { from: "critical", least: 0.35, sort: "value", cursor: "abc_-" },
    { least: 0.001 },
  ])("survive the way into the address and back: %j", (set) => {
    const filters = filtersOf(queryOf(addressOf(set)));
    expect(filters).toEqual({ group: "", from: "medium", least: null, sort: "probability", cursor: "", ...set });
  });

  it("are left out when they are not set", () => expect(addressOf({})).toBe("/at-risk"));

  it("that are not valid are ignored", () => {
    expect(filtersOf({ min: "many", from: "low", sort: "name" })).toEqual(filtersOf({}));
    expect(filtersOf({ min: "140" }).least).toBeNull();
  });
});

describe("the minimum probability", () => {
  const bounds: Bounds = { medium: 0.13, high: 0.26, critical: 0.52 };

  it("of a level is the one that the API gives", () => {
    expect(leastProbability(filtersOf({ from: "critical" }), bounds)).toBe(0.52);
  });

  it("is the higher of level and minimum", () => {
    expect(leastProbability(filtersOf({ from: "high", min: "10" }), bounds)).toBe(0.26);
    expect(leastProbability(filtersOf({ from: "high", min: "40" }), bounds)).toBe(0.4);
    expect(leastProbability(filtersOf({}), bounds)).toBeUndefined();
    expect(leastProbability(filtersOf({ from: "high" }), null)).toBeUndefined();
  });
});
