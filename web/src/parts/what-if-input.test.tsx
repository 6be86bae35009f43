import { renderToString } from "preact-render-to-string";
import { describe, expect, it } from "vitest";
import type { Column, Value } from "./schema";
import { WhatIfInput } from "./what-if-input";

const since = {
  name: "since",
  label: "Contract since",
  kind: "date",
  unit: "",
  levels: [],
  missing: true,
  feature: true,
} as unknown as Column;

function field(original: Value, value: Value): string {
  return renderToString(<WhatIfInput column={since} original={original} value={value} change={() => {}} />);
}

describe("a what-if of a date", () => {
  it("has a date picker with the day", () => {
    expect(field("2023-05-01", "2023-05-01")).toMatch(/<input [^>]*value="2023-05-01"[^>]*type="date"/);
    expect(field("2023-05-01", "2023-05-01")).toContain('data-changed="false"');
  });

  it("names the day of the customer beside another one", () => {
    expect(field("2023-05-01", "2024-01-31")).toContain("now 2023-05-01");
    expect(field(null, "2024-01-31")).toContain("now unknown");
  });

  it("is empty where the day is not known", () => {
    expect(field(null, null)).not.toContain("2023");
  });
});
