import { renderToString } from "preact-render-to-string";
import { describe, expect, it } from "vitest";
import { LevelChoice, LevelsChoice } from "./level-choice";
import { AT_A_GLANCE, matching } from "./schema";

const cities = Array.from({ length: 1000 }, (_, number) => `City ${number}`);
const options = (levels: string[]) => levels.map((level): [string, string] => [level, level]);
const nothing = () => {};

describe("a choice of levels", () => {
  it("is a list where the levels are few", () => {
    const html = renderToString(
      <LevelChoice options={options(cities.slice(0, AT_A_GLANCE))} value="City 3" choose={nothing} id="city" />,
    );
    expect(html).toContain('<select id="city">');
    expect(html).toContain('<option selected value="City 3">');
  });

  it("is searched where the levels are many", () => {
    const html = renderToString(<LevelChoice options={options(cities)} value="City 3" choose={nothing} id="city" />);
    expect(html).toMatch(/<input id="city" type="text" list="([^"]+)".*<datalist id="\1">/);
    expect(html).toContain('value="City 3"');
    expect(html).toContain('<option value="City 999">');
  });

  it("shows the chosen ones of many, and a few others", () => {
    const html = renderToString(<LevelsChoice label="City" levels={cities} chosen={["City 777"]} choose={nothing} />);
    expect(html).toContain('aria-label="City: search"');
    expect(html.match(/type="checkbox"/g)).toHaveLength(21);
    expect(html).toContain("979 more");
  });
});

describe("matching", () => {
  it("has the chosen levels first, then those that begin with the text", () => {
    const levels = ["New York", "York", "Yorktown", "Berlin"];
    expect(matching(levels, " york", ["Berlin"])).toEqual(["Berlin", "York", "Yorktown", "New York"]);
  });
});
