import { describe, expect, it } from "vitest";
import { csvCell, csvOf } from "./csv";

describe("csvCell", () => {
  it.each(["=1+1", "+49 30", "-2", "@SUM(A1)", "\tx", "\rx"])("takes %j for text, not for a formula", (text) => {
    expect(csvCell(text).replace(/^"/, "").startsWith("'")).toBe(true);
  });

  it("keeps numbers as numbers", () => {
    expect(csvCell(-12.5)).toBe("-12.5");
    expect(csvCell(0)).toBe("0");
    expect(csvCell(Number.NaN)).toBe("");
  });

  it("quotes text that would break a row", () => {
    expect(csvCell('a "b", c')).toBe('"a ""b"", c"');
    expect(csvCell("two\nlines")).toBe('"two\nlines"');
    expect(csvCell('=HYPERLINK("x","y")')).toBe(`"'=HYPERLINK(""x"",""y"")"`);
  });

  it("leaves unknown values empty", () => {
    expect(csvCell(null)).toBe("");
    expect(csvCell(undefined)).toBe("");
  });
});

it("csvOf ends each row with a line break", () => {
  expect(csvOf(["id", "value"], [["a", 1]])).toBe("id,value\r\na,1\r\n");
});
