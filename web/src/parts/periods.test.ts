import { describe, expect, test } from "vitest";
import {
  brokenPromise,
  churnersInWords,
  firstInWords,
  firstMonths,
  nextInWords,
  type Period,
  placeOf,
} from "./periods";

function month(period: string, version: string, kept: boolean | null = null): Period {
  const interval = { low: 0.78, high: 0.86 };
  const realised = {
    roc_auc: kept ? 0.8 : 0.69,
    roc_auc_interval: interval,
    log_loss: 0.3,
    brier: 0.1,
    ece: 0.02,
    expected: 52,
    observed: 48,
    at_threshold: { threshold: 0.3, called: 120, left: 30, precision: 0.25, recall: 0.625 },
  };
  return {
    period,
    model_version: version,
    run_id: "scoring-1",
    horizon_days: 30,
    ends_on: "2026-10-31",
    rows: 500,
    left: 48,
    stayed: 450,
    unknown: 2,
    promised: { roc_auc: 0.82, roc_auc_interval: interval, log_loss: 0.31 },
    estimated: { churners: 52.5, roc_auc: 0.81 },
    realised: kept === null ? null : realised,
    kept_promise: kept,
  };
}

test("a version is marked in the first month of its use", () => {
  expect(firstMonths([month("2026-08", "a"), month("2026-09", "a"), month("2026-09", "b")])).toEqual([
    { period: "2026-08", version: "a" },
    { period: "2026-09", version: "b" },
  ]);
});

test("a month has its place in UTC", () => {
  const { start, middle, end } = placeOf("2026-02");
  expect([start, middle, end].map((moment) => moment.toISOString())).toEqual([
    "2026-02-01T00:00:00.000Z",
    "2026-02-15T00:00:00.000Z",
    "2026-03-01T00:00:00.000Z",
  ]);
});

describe("the next judgement", () => {
  test.each([
    ["2026-12-31", false, "The first month can be judged on Dec 31, 2026, when its outcomes are known."],
    ["2026-12-31", true, "The next month can be judged on Dec 31, 2026, when its outcomes are known."],
    ["2026-10-31", true, "The next month can be judged once outcomes through Oct 31, 2026 are imported or recorded."],
    [null, false, "The first month can be judged one horizon after the first scoring run."],
    [null, true, null],
  ])("of %s with judged months %s", (day, judged, words) => expect(nextInWords(day, judged, "2026-11-30")).toBe(words));
});

test("a version without realised figures says when it has them, and why not yet", () => {
  const why = "The outcome of a prediction is known when its horizon has ended. The version in service can be judged ";
  expect(firstInWords("2026-12-31", "2026-11-30")).toBe(`${why}on Dec 31, 2026, when its outcomes are known.`);
  expect(firstInWords("2026-10-31", "2026-11-30")).toBe(
    `${why}once outcomes through Oct 31, 2026 are imported or recorded.`,
  );
  expect(firstInWords(null)).toBe("The model has scored no customers yet.");
});

test("only the newest judged month breaks a promise", () => {
  const broken = month("2026-08", "a", false);
  expect(brokenPromise([broken, month("2026-09", "a")])).toBe(
    "August 2026: the realised AUC of 0.690 is below the promised interval of 0.780 to 0.860, by more than chance explains.",
  );
  expect(brokenPromise([broken, month("2026-09", "a", true)])).toBeNull();
  expect(brokenPromise([month("2026-08", "a")])).toBeNull();
});

test("the newest judged month has its churners", () => {
  expect(churnersInWords([month("2026-08", "a", true), month("2026-09", "a")])).toBe(
    "August 2026: 52 churners expected, 48 observed.",
  );
  expect(churnersInWords([])).toBeNull();
});
