import { expect, test } from "vitest";
import { kindInWords, statusInWords } from "./import-kinds";

test("a kind of fault names column, value and reason", () => {
  expect(kindInWords({ column: "plan", value: "Gold Plus", reason: "is new" })).toBe("plan: “Gold Plus” is new");
  expect(kindInWords({ column: "plan", value: "…", reason: "is new" })).toBe(
    "plan: rarer values, each of which is new",
  );
  expect(kindInWords({ column: "", value: "", reason: "has 2 fields where the header has 9" })).toBe(
    "has 2 fields where the header has 9",
  );
});

test("an import of which most rows were rejected is no plain success", () => {
  expect(statusInWords("SUCCEEDED")).toBe("succeeded");
  expect(statusInWords("SUCCEEDED_WITH_REJECTS")).toBe("most rows rejected");
});
