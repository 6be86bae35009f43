import { expect, test } from "vitest";
import { deliverySentence, preparationSentence } from "./source-sentences";

const delivery = {
  status: "SUCCEEDED",
  file_name: "events.csv",
  reason: null,
  counts: { read: 1200, added: 1000, changed: 0, repeated: 200, older: 0, removed: 0 },
  notes: ["columns that the schema does not read were not kept: device"],
} as unknown as Parameters<typeof deliverySentence>[0];
const preparation = {
  status: "SUCCEEDED",
  step: "store",
  reason: null,
  features_on: "2026-02-01",
  finished_at: null,
  counts: { customers: 1200, created: 1000, changed: 150, unchanged: 0, older: 0, rejected: 50 },
} as unknown as Parameters<typeof preparationSentence>[0];

test("a delivery accounts for its rows", () => {
  expect(deliverySentence(delivery)).toBe(
    "events.csv: 1,200 rows read · 1,000 new · 200 already there · columns that the schema does not read were not kept: device",
  );
  expect(deliverySentence({ ...delivery, status: "FAILED", reason: "No column." })).toBe(
    "The delivery failed: No column.",
  );
});

test("a preparation says what it stored, and what it does", () => {
  expect(preparationSentence(preparation)).toMatch(
    /^1,200 customers with features of .+ · 1,000 new · 150 changed · 50 rejected · –$/,
  );
  expect(preparationSentence({ ...preparation, status: "RUNNING", step: "build" })).toBe(
    "Computing features and outcomes…",
  );
});
