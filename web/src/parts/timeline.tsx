import { useCallback } from "preact/hooks";
import type { Schemas } from "../../../client/api-client.js";
import { counted, dateTime, percent, wholeDay } from "../formats";
import { Chart, type Plot } from "./chart";
import { beginning, domainOf, ending, spansOf } from "./life";
import { Empty } from "./states";

type Customer = Schemas["CustomerView"];

const STRIP = { y1: -0.09, y2: -0.03 };
const COLOURS = { customer: "#4cc38a", leaving: "#ff6b81" };

/** The customer's predictions over time, above the days as a customer. */
export function Timeline({ customer }: { customer: Customer }) {
  const { prediction, life, earlier_lives: earlier } = customer;
  const runs = prediction ? [prediction, ...prediction.history].reverse() : [];
  const spans = [...earlier, life].flatMap(spansOf);
  const draw = useCallback(
    (plot: typeof Plot): Plot.PlotOptions => {
      const dots = runs.map((run) => ({ ...run, when: new Date(run.features_on) }));
      const ends = [...earlier, life].flatMap((one) => (one.left_on_exact ? [new Date(one.left_on ?? "")] : []));
      return {
        marginLeft: 48,
        x: {
          label: null,
          type: "utc",
          ticks: 4,
          domain: domainOf([...dots.map(({ when }) => when), ...spans.flatMap(({ from, to }) => [from, to])]),
        },
        y: { label: "churn probability", domain: [-0.1, 1], tickFormat: "%", ticks: [0, 0.25, 0.5, 0.75, 1] },
        marks: [
          plot.gridY([0, 0.25, 0.5, 0.75, 1]),
          plot.rect(spans, {
            x1: "from",
            x2: "to",
            ...STRIP,
            fill: (span: (typeof spans)[number]) => COLOURS[span.kind],
            fillOpacity: (span: (typeof spans)[number]) => (span.kind === "leaving" ? 0.45 : 0.85),
          }),
          plot.ruleX(ends, { stroke: COLOURS.leaving, strokeWidth: 2 }),
          plot.text(ends, {
            x: (day: Date) => day,
            text: () => "left",
            frameAnchor: "top",
            dx: -14,
            fill: COLOURS.leaving,
          }),
          ...(prediction
            ? [plot.ruleY([prediction.base_probability], { stroke: "#aaa5b8", strokeDasharray: "3 4" })]
            : []),
          plot.lineY(dots, { x: "when", y: "probability", stroke: "#ff5d6c", strokeWidth: 2 }),
          plot.dot(dots, {
            x: "when",
            y: "probability",
            fill: "#ff5d6c",
            r: 4,
            tip: true,
            title: (run: (typeof dots)[number]) => `${wholeDay(run.features_on)}: ${percent(run.probability)}`,
          }),
        ],
      };
    },
    [JSON.stringify([runs.map(({ probability, features_on }) => [probability, features_on]), spans])],
  );
  if (!runs.length && !spans.length) return <Empty title="No days known yet" />;
  const [first, last] = [runs[0], runs.at(-1)];
  const predictions = first
    ? ` ${counted(runs.length, "prediction")} since ${wholeDay(first.features_on)}: ${percent(first.probability)} in the first, ${percent(last?.probability)} in the last.`
    : "";
  return (
    <Chart
      description={`${beginning(life)}. ${ending(life)}.${predictions}`}
      height={240}
      draw={draw}
      table={{
        columns: ["Features of", "Probability", "Scored", "Model"],
        rows: [...runs]
          .reverse()
          .map((run) => [
            wholeDay(run.features_on),
            percent(run.probability),
            dateTime(run.scored_at),
            run.model_version,
          ]),
      }}
    />
  );
}
