import type { ComponentChildren } from "preact";
import type { Schemas } from "../../../client/api-client.js";
import { count } from "../formats";
import { Table } from "./table";

export type ColumnOfFile = Schemas["ColumnOfFile"];

const USES: Record<ColumnOfFile["use"], string> = {
  feature: "in the model",
  "not in the model": "stored, not in the model",
  id: "the id",
  outcome: "the outcome",
  day: "a day",
  "not read": "not read",
};

const KINDS: Record<string, string> = {
  integer: "whole number",
  boolean: "yes or no",
  text: "free text",
  constant: "one value",
};

interface FileColumnsProps {
  caption: string;
  columns: readonly ColumnOfFile[];
  /** Replaces the kind of a column, for choosing another one. */
  kind?: (column: ColumnOfFile) => ComponentChildren;
}

/** The columns of a file as they were understood: kind, examples, and what could not be read. */
export function FileColumns({ caption, columns, kind }: FileColumnsProps) {
  return (
    <Table
      caption={caption}
      narrow="cards"
      class="file-columns"
      columns={[
        { title: "Column", rowHeader: true, cell: (column) => column.header },
        { title: "Use", cell: (column) => <Use column={column} /> },
        { title: "Kind", cell: (column) => kind?.(column) ?? KINDS[column.kind] ?? column.kind },
        { title: "Examples", class: "examples", cell: ({ examples }) => examples.join(" · ") || "–" },
        { title: "Missing", number: true, cell: ({ missing }) => count(missing) },
        { title: "Not read", cell: (column) => <Unread column={column} /> },
      ]}
      rows={columns}
      keyOf={(column) => column.header}
    />
  );
}

function Use({ column }: { column: ColumnOfFile }) {
  return (
    <>
      {USES[column.use]}
      {column.reason ? <small class="reason">{column.reason}</small> : null}
    </>
  );
}

function Unread({ column }: { column: ColumnOfFile }) {
  if (!column.unread.length) return <>–</>;
  const shown = column.unread.slice(0, 3);
  const more = column.unread.length - shown.length;
  return (
    <ul class="plain wrong">
      {shown.map(({ value, reason, rows }) => (
        <li key={`${value} ${reason}`}>
          {count(rows)} × {value ? `“${value}” ` : ""}
          {reason}
        </li>
      ))}
      {more > 0 ? <li>and {count(more)} more values</li> : null}
    </ul>
  );
}
