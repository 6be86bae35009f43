import { count, money, percent } from "../formats";
import { LEVELS } from "./level";
import type { FeatureSchema } from "./schema";
import type { SegmentView } from "./segment-figures";
import { Table } from "./table";

interface Line {
  title: string;
  of: (view: SegmentView) => number | null;
  write: (value: number | null) => string;
  /** Whether the figure grows with the segment, and so is an estimate where the segment is an estimate. */
  counted?: boolean;
}

/** Two segments, figure by figure. */
export function Comparison({ a, b, schema }: { a: SegmentView; b: SegmentView; schema: FeatureSchema }) {
  const most = (line: Line) => Math.max(line.of(a) ?? 0, line.of(b) ?? 0);
  return (
    <Table
      caption={verdict(a, b)}
      captioned
      class="comparison"
      columns={[
        { title: "Figure", unseen: true, rowHeader: true, cell: ({ title }) => title },
        { title: "A", number: true, class: "a", cell: (line) => <Amount line={line} view={a} most={most(line)} /> },
        { title: "B", number: true, class: "b", cell: (line) => <Amount line={line} view={b} most={most(line)} /> },
      ]}
      rows={linesOf(schema, a.currency ?? b.currency)}
      keyOf={({ title }) => title}
    />
  );
}

function Amount({ line, view, most }: { line: Line; view: SegmentView; most: number }) {
  const value = line.of(view);
  return (
    <>
      {line.counted && view.estimated ? "≈ " : ""}
      {line.write(value)}
      <span class="track" aria-hidden="true">
        <span style={{ width: `${most ? (100 * (value ?? 0)) / most : 0}%` }} />
      </span>
    </>
  );
}

function linesOf(schema: FeatureSchema, currency: string | null): Line[] {
  const lines: Line[] = [
    { title: "Customers", of: (view) => view.count, write: count, counted: true },
    { title: "Mean churn probability", of: (view) => view.mean_probability, write: percent },
    { title: "Expected churners", of: (view) => view.expected_churners, write: count, counted: true },
  ];
  if (schema.money)
    lines.push(
      {
        title: "Value at risk",
        of: (view) => view.value_at_risk,
        write: (value) => money(value, currency, 0),
        counted: true,
      },
      {
        title: "Value at risk per customer",
        of: (view) => (view.count ? view.value_at_risk / view.count : null),
        write: (value) => money(value, currency, 2),
      },
    );
  for (const level of LEVELS.toReversed())
    lines.push({ title: `At ${level} risk`, of: (view) => shareAt(view, level), write: percent });
  return lines;
}

function shareAt({ count: customers, levels }: SegmentView, level: string): number | null {
  if (!customers) return null;
  return (levels.find((entry) => entry.level === level)?.customers ?? 0) / customers;
}

function verdict(a: SegmentView, b: SegmentView): string {
  const [meanOfA, meanOfB] = [a.mean_probability, b.mean_probability];
  if (!a.count || !b.count || !meanOfA || !meanOfB) return "An empty segment cannot be compared.";
  const ratio = meanOfA / meanOfB;
  if (ratio > 0.95 && ratio < 1.05) return "Customers in A are about as likely to leave as customers in B.";
  const [more, less, factor] = ratio > 1 ? ["A", "B", ratio] : ["B", "A", 1 / ratio];
  return `Customers in ${more} are ${factor.toFixed(1)} times as likely to leave as customers in ${less}.`;
}
