import { describe, expect, test } from "vitest";
import { cannotNumber, withRowNumbers } from "./numbered-rows";

const numbered = async (text: string) => (await withRowNumbers(new File([text], "a.csv"))).text();

describe("a file without an id column", () => {
  test("gets the number of each row as its first column", async () => {
    expect(await numbered("a,b\n1,2\n3,4\n")).toBe("row_number,a,b\nrow-1,1,2\nrow-2,3,4\n");
    expect(await numbered("\ufeffa;b\r\n1;2")).toBe("row_number;a;b\r\nrow-1;1;2");
  });

  test("keeps a line end inside quotes in its record", async () => {
    expect(await numbered('a,b\n"x\ny",2\n"say ""hi""",3\n')).toBe(
      'row_number,a,b\nrow-1,"x\ny",2\nrow-2,"say ""hi""",3\n',
    );
  });

  test("is a plain one", () => {
    expect(cannotNumber(new File(["PK"], "a.xlsx"))).toContain("plain CSV");
    expect(cannotNumber(new File(["a"], "a.csv"))).toBeNull();
  });
});
