import { describe, expect, test } from "vitest";
import { beginning, domainOf, ending, type Life, spansOf } from "./life";

const NOTHING: Life = {
  began_on: null,
  first_seen_on: null,
  observed_until: null,
  left_on: null,
  left_on_exact: null,
  left_after: null,
};
const HERE: Life = { ...NOTHING, began_on: "2025-12-03", first_seen_on: "2026-01-31", observed_until: "2026-10-31" };
const EXACT: Life = { ...HERE, left_on: "2026-11-12", left_on_exact: true };
const RANGE: Life = { ...HERE, left_on: "2026-11-30", left_on_exact: false, left_after: "2026-10-31" };

describe("a life in words", () => {
  test.each([
    [HERE, "Customer since Dec 3, 2025", "Known as a customer until Oct 31, 2026"],
    [{ ...HERE, began_on: null }, "First seen on Jan 31, 2026", "Known as a customer until Oct 31, 2026"],
    [EXACT, "Customer since Dec 3, 2025", "Left on Nov 12, 2026"],
    [RANGE, "Customer since Dec 3, 2025", "Left between Nov 1, 2026 and Nov 30, 2026"],
    [{ ...RANGE, left_after: null }, "Customer since Dec 3, 2025", "Left on or before Nov 30, 2026"],
    [NOTHING, "First day not known", "No end known"],
  ])("%o", (life, start, end) => expect([beginning(life), ending(life)]).toEqual([start, end]));
});

describe("a life as spans", () => {
  const written = (life: Life) =>
    spansOf(life).map(({ kind, from, to }) => [kind, from.toISOString().slice(0, 10), to.toISOString().slice(0, 10)]);
  test.each([
    [HERE, [["customer", "2025-12-03", "2026-10-31"]]],
    [EXACT, [["customer", "2025-12-03", "2026-11-12"]]],
    [
      RANGE,
      [
        ["customer", "2025-12-03", "2026-10-31"],
        ["leaving", "2026-10-31", "2026-11-30"],
      ],
    ],
    [{ ...NOTHING, left_on: "2026-11-30", left_on_exact: false }, [["customer", "2026-11-30", "2026-11-30"]]],
    [NOTHING, []],
  ])("%o", (life, spans) => expect(written(life)).toEqual(spans));
});

describe("the domain of a plot", () => {
  test.each([
    [["2026-03-31"], "2026-03-01", "2026-04-30"],
    [["2026-06-30", "2026-01-01", "2026-02-03"], "2026-01-01", "2026-06-30"],
  ])("of %s", (days, first, last) =>
    expect(domainOf(days.map((day) => new Date(day))).map((day) => day.toISOString().slice(0, 10))).toEqual([
      first,
      last,
    ]),
  );
});
