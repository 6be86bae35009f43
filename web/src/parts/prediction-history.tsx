import { useCallback } from "preact/hooks";
import type { Schemas } from "../../../client/api-client.js";
import { date, dateTime, percent } from "../formats";
import { Chart, type Plot } from "./chart";
import { Empty } from "./states";

type Prediction = Schemas["PredictionView"];

/** The churn probability of a customer, run by run. */
export function PredictionHistory({ prediction }: { prediction: Prediction }) {
  const runs = [prediction, ...prediction.history].reverse();
  const key = JSON.stringify(runs.map(({ probability, scored_at }) => [probability, scored_at]));
  const draw = useCallback(
    (plot: typeof Plot): Plot.PlotOptions => {
      const dots = runs.map((run) => ({ ...run, when: new Date(run.scored_at) }));
      return {
        marginLeft: 44,
        x: { label: null, type: "utc", ticks: 4 },
        y: { label: "churn probability", grid: true, domain: [0, 1], tickFormat: "%", ticks: 5 },
        marks: [
          plot.ruleY([prediction.base_probability], { stroke: "#aaa5b8", strokeDasharray: "3 4" }),
          plot.lineY(dots, { x: "when", y: "probability", stroke: "#ff5d6c", strokeWidth: 2 }),
          plot.dot(dots, {
            x: "when",
            y: "probability",
            fill: "#ff5d6c",
            r: 4,
            tip: true,
            title: (run: (typeof dots)[number]) => `${dateTime(run.scored_at)}: ${percent(run.probability)}`,
          }),
        ],
      };
    },
    [key],
  );
  const [first] = runs;
  if (!first || runs.length < 2)
    return <Empty title="One prediction so far">Every scoring run adds a point to the history.</Empty>;
  return (
    <Chart
      description={`${runs.length} predictions since ${date(first.scored_at)}: ${percent(first.probability)} in the first, ${percent(prediction.probability)} in the last.`}
      height={200}
      draw={draw}
      table={{
        columns: ["Scored", "Probability", "Model"],
        rows: [...runs].reverse().map((run) => [dateTime(run.scored_at), percent(run.probability), run.model_version]),
      }}
    />
  );
}
