import type { ComponentChildren } from "preact";
import { percent, points, signed } from "../formats";
import "../styles/waterfall.css";
import type { FeatureSchema } from "./schema";
import { Table } from "./table";
import { type Score, type Step, waterfall } from "./waterfall-steps";

interface Line extends Pick<Step, "label" | "circumstance" | "from" | "to"> {
  kind: "raises" | "lowers" | "end";
  figure: ComponentChildren;
}

/** The steps from the average customer's probability to this customer's: a table with a bar in each row. */
export function Waterfall({ score, schema }: { score: Score; schema: FeatureSchema }) {
  const steps = waterfall(score, schema);
  const lines = linesOf(score, steps);
  const ends = lines.flatMap(({ from, to }) => [from, to]);
  const [low, high] = [Math.min(...ends), Math.max(...ends)];
  const position = (value: number) => (100 * (value - low)) / (high - low || 1);
  return (
    <figure class="waterfall">
      <figcaption>{description(score, steps)}</figcaption>
      <Table
        caption="Reasons, from the average customer to this customer"
        columns={[
          {
            title: "Reason",
            rowHeader: true,
            cell: ({ label, circumstance }) => (
              <>
                {label}
                <small>{circumstance}</small>
              </>
            ),
          },
          {
            title: "Bar",
            unseen: true,
            class: "plot",
            cell: ({ from, to, kind }) => <Bar from={position(from)} to={position(to)} kind={kind} />,
          },
          { title: "Points", number: true, cell: ({ figure }) => figure },
        ]}
        rows={lines}
        keyOf={(_, place) => place}
        attributesOf={({ kind }) => ({ class: kind === "end" ? "end" : undefined })}
      />
    </figure>
  );
}

function linesOf(score: Score, steps: Step[]): Line[] {
  const [base, own] = [score.base_probability, score.probability];
  return [
    {
      label: "Average customer",
      circumstance: beforeValues(score),
      from: 0,
      to: 100 * base,
      kind: "end",
      figure: percent(base),
    },
    ...steps.map((step) => {
      const kind = step.points > 0 ? ("raises" as const) : ("lowers" as const);
      return { ...step, kind, figure: <b class={kind}>{signed(step.points)}</b> };
    }),
    { label: "This customer", circumstance: "", from: 0, to: 100 * own, kind: "end", figure: <b>{percent(own)}</b> },
  ];
}

/** The average of the probabilities is above the probability of average log-odds, so it stands beside it. */
function beforeValues({ average_probability: average }: Score): string {
  const start = "before this customer's values count";
  return average == null ? start : `${start}; average probability ${percent(average)}`;
}

function Bar({ from, to, kind }: Pick<Line, "from" | "to" | "kind">) {
  const [left, right] = [Math.min(from, to), Math.max(from, to)];
  return (
    <span class="rail" aria-hidden="true">
      <span class={kind} style={{ left: `${left}%`, width: `max(2px, ${right - left}%)` }} />
    </span>
  );
}

function description(score: Score, steps: Step[]): string {
  const ends = `From ${percent(score.base_probability)} for the average customer to ${percent(score.probability)} for this customer`;
  const [strongest] = steps;
  if (!strongest) return `${ends}; no column changes it.`;
  return `${ends}. Strongest reason: ${strongest.circumstance || strongest.label} (${points(strongest.points)}).`;
}
