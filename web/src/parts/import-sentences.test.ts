import { expect, test } from "vitest";
import { importSentences } from "./import-sentences";

const COUNTS = {
  read: 100,
  accepted: 100,
  rejected: 0,
  created: 100,
  changed: 0,
  unchanged: 0,
  older: 0,
  left: 20,
  stayed: 70,
  not_known: 10,
  unreadable: 0,
  snapshots: 73,
  after_leaving: 0,
  older_features: 0,
};

test("features from after leaving are named once, with their number", () => {
  expect(importSentences(COUNTS)).toEqual([]);
  expect(importSentences({ ...COUNTS, after_leaving: 27, older_features: 1 })).toEqual([
    "27 customers had left before the day of their features. Those features are not used for training.",
    "1 row had features of an earlier day than the stored ones. They are kept for training only.",
  ]);
});
