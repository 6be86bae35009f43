import { renderToString } from "preact-render-to-string";
import { expect, it } from "vitest";
import { Table } from "./table";

const rows = [
  { name: "May", rows: 12 },
  { name: "June", rows: 7 },
];

function html(narrow?: "cards" | "scroll", captioned = false): string {
  return renderToString(
    <Table
      caption="Imports"
      captioned={captioned}
      narrow={narrow}
      columns={[
        { title: "File", rowHeader: true, cell: ({ name }) => name },
        { title: "Rows", number: true, sort: "descending", cell: (row) => row.rows },
        { title: "Details", unseen: true, cell: () => "Open" },
      ]}
      rows={rows}
      keyOf={({ name }) => name}
      attributesOf={({ name }) => ({ "aria-current": name === "May" || undefined })}
    />,
  );
}

it("names the table, its columns and its rows for screen readers", () => {
  expect(html()).toContain('<caption class="unseen">Imports</caption>');
  expect(html(undefined, true)).toContain("<caption>Imports</caption>");
  expect(html()).toContain('<th scope="col">File</th>');
  expect(html()).toContain('<th scope="col"><span class="unseen">Details</span></th>');
  expect(html()).toContain('<th scope="row">May</th>');
});

it("aligns numbers, marks the order and the current row", () => {
  expect(html()).toContain('<th scope="col" class="number" aria-sort="descending">Rows</th>');
  expect(html()).toContain('<td class="number" data-label="Rows">12</td>');
  expect(html().match(/<tr aria-current="true">/g)).toHaveLength(1);
});

it("becomes cards or scrolls where there is little room", () => {
  expect(html("cards")).toMatch(/^<div class="cards-room"><table class="cards">/);
  expect(html("scroll")).toMatch(/^<section class="scroll" aria-label="Imports" tabindex="0"><table>/);
  expect(html("cards")).toContain("<td>Open</td>");
});
