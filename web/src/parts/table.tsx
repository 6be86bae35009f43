import type { ComponentChildren } from "preact";
import { Scroll } from "./card";

export interface TableColumn<Row> {
  /** The header, and the label of a cell where rows become cards. */
  title: string;
  /** Replaces the title in the header. */
  header?: ComponentChildren;
  /** Leaves the title to screen readers. */
  unseen?: boolean;
  cell: (row: Row) => ComponentChildren;
  /** Aligns the column to the right. */
  number?: boolean;
  /** Makes each cell the header of its row. */
  rowHeader?: boolean;
  /** The order of the rows, when they are sorted by this column. */
  sort?: "ascending" | "descending";
  class?: string;
}

interface TableProps<Row> {
  /** The table's name: for screen readers, and in sight when `captioned`. */
  caption: string;
  captioned?: boolean;
  columns: TableColumn<Row>[];
  rows: readonly Row[];
  keyOf: (row: Row, place: number) => string | number;
  attributesOf?: (row: Row) => { class?: string; "aria-current"?: true };
  /** In a narrow card, rows become cards or the table scrolls sideways. */
  narrow?: "cards" | "scroll";
  class?: string;
}

/** Every table of the dashboard. */
export function Table<Row>(props: TableProps<Row>) {
  const { caption, captioned, columns, rows, keyOf, attributesOf, narrow } = props;
  const table = (
    <table class={classes(props.class, narrow === "cards" && "cards")}>
      <caption class={captioned ? undefined : "unseen"}>{caption}</caption>
      <thead>
        <tr>
          {columns.map((column) => (
            <th key={column.title} scope="col" class={classOf(column)} aria-sort={column.sort}>
              {column.header ?? (column.unseen ? <span class="unseen">{column.title}</span> : column.title)}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row, place) => (
          <tr key={keyOf(row, place)} {...attributesOf?.(row)}>
            {columns.map((column) => (
              <Cell key={column.title} column={column} row={row} />
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
  if (narrow === "scroll") return <Scroll label={caption}>{table}</Scroll>;
  return narrow === "cards" ? <div class="cards-room">{table}</div> : table;
}

function Cell<Row>({ column, row }: { column: TableColumn<Row>; row: Row }) {
  if (column.rowHeader)
    return (
      <th scope="row" class={classOf(column)}>
        {column.cell(row)}
      </th>
    );
  return (
    <td class={classOf(column)} data-label={column.unseen ? undefined : column.title}>
      {column.cell(row)}
    </td>
  );
}

function classOf<Row>({ number, class: own }: TableColumn<Row>): string | undefined {
  return classes(number && "number", own);
}

function classes(...names: (string | false | undefined)[]): string | undefined {
  return names.filter(Boolean).join(" ") || undefined;
}
