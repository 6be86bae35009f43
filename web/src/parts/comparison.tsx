import { count, money, percent } from "../formats";
import { LEVELS } from "./level";
import type { FeatureSchema } from "./schema";
import type { SegmentView } from "./segment-figures";

interface Line {
  title: string;
  of: (view: SegmentView) => number | null;
  written: (value: number | null) => string;
  /** Whether it grows with the segment, and so is an estimate where the segment is one. */
  counted?: boolean;
}

/** Two segments against each other, figure by figure. */
export function Comparison({ a, b, schema }: { a: SegmentView; b: SegmentView; schema: FeatureSchema }) {
  return (
    <table class="comparison">
      <caption>{verdict(a, b)}</caption>
      <thead>
        <tr>
          <td />
          <th scope="col" class="number">
            A
          </th>
          <th scope="col" class="number">
            B
          </th>
        </tr>
      </thead>
      <tbody>
        {linesOf(schema, a.currency ?? b.currency).map((line) => {
          const most = Math.max(line.of(a) ?? 0, line.of(b) ?? 0);
          return (
            <tr key={line.title}>
              <th scope="row">{line.title}</th>
              <Amount line={line} view={a} most={most} name="a" />
              <Amount line={line} view={b} most={most} name="b" />
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

function Amount({ line, view, most, name }: { line: Line; view: SegmentView; most: number; name: "a" | "b" }) {
  const value = line.of(view);
  return (
    <td class={`number ${name}`}>
      {line.counted && view.estimated ? "≈ " : ""}
      {line.written(value)}
      <span class="track" aria-hidden="true">
        <span style={{ width: `${most ? (100 * (value ?? 0)) / most : 0}%` }} />
      </span>
    </td>
  );
}

function linesOf(schema: FeatureSchema, currency: string | null): Line[] {
  const lines: Line[] = [
    { title: "Customers", of: (view) => view.count, written: count, counted: true },
    { title: "Mean probability of leaving", of: (view) => view.mean_probability, written: percent },
    { title: "Expected churners", of: (view) => view.expected_churners, written: count, counted: true },
  ];
  if (schema.money)
    lines.push(
      {
        title: "Value at risk",
        of: (view) => view.value_at_risk,
        written: (of) => money(of, currency, 0),
        counted: true,
      },
      {
        title: "Value at risk a customer",
        of: (view) => (view.count ? view.value_at_risk / view.count : null),
        written: (of) => money(of, currency, 2),
      },
    );
  for (const level of LEVELS.toReversed())
    lines.push({ title: `At ${level} risk`, of: (view) => share(view, level), written: percent });
  return lines;
}

function share(view: SegmentView, level: string): number | null {
  if (!view.count) return null;
  return (view.levels.find((one) => one.level === level)?.customers ?? 0) / view.count;
}

function verdict(a: SegmentView, b: SegmentView): string {
  const [one, other] = [a.mean_probability, b.mean_probability];
  if (!a.count || !b.count || !one || !other) return "With an empty segment there is nothing to compare.";
  const times = one / other;
  if (times > 0.95 && times < 1.05) return "A customer of A is about as likely to leave as one of B.";
  const [more, less, factor] = times > 1 ? ["A", "B", times] : ["B", "A", 1 / times];
  return `A customer of ${more} is ${factor.toFixed(1)} times as likely to leave as one of ${less}.`;
}
