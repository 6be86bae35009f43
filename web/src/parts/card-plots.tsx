import { useCallback } from "preact/hooks";
import type { Schemas } from "../../../client/api-client.js";
import { count, percent } from "../formats";
import { useLoaded } from "../loading";
import { api } from "../session";
import { Card } from "./card";
import { Chart, type Plot } from "./chart";
import { Empty, Show } from "./states";

type ModelCard = Schemas["CardView"];

/** The reliability and gain curves of a version's model card. */
export function CardPlots({ version }: { version: string }) {
  const card = useLoaded(() => api.getModelCard(version), [version]);
  return (
    <div class="grid plots">
      <Card
        title="Reliability"
        note="Observed churn rate by predicted probability; on the line, the probabilities are calibrated"
      >
        <Show of={card} lines={6}>
          {({ data }) => <Reliability bins={data.reliability} />}
        </Show>
      </Card>
      <Card title="Gain" note="Share of churners reached when the riskiest customers are called first">
        <Show of={card} lines={6}>
          {({ data }) => <Gain card={data} />}
        </Show>
      </Card>
    </div>
  );
}

const SHARES = { domain: [0, 1], tickFormat: "%", grid: true } as const;

function Reliability({ bins }: { bins: ModelCard["reliability"] }) {
  const draw = useCallback(
    (plot: typeof Plot): Plot.PlotOptions => ({
      marginLeft: 48,
      marginBottom: 40,
      x: { ...SHARES, label: "predicted", labelOffset: 36 },
      y: { ...SHARES, label: "observed" },
      marks: [
        plot.line(
          [
            { at: 0, left: 0 },
            { at: 1, left: 1 },
          ],
          { x: "at", y: "left", stroke: "#aaa5b8", strokeDasharray: "4 4" },
        ),
        plot.ruleX(bins, { x: "mean_probability", y1: "low", y2: "high", stroke: "#ff5d6c", strokeOpacity: 0.6 }),
        plot.dot(bins, {
          x: "mean_probability",
          y: "churn_rate",
          fill: "#ff5d6c",
          r: 4,
          tip: true,
          title: (bin) =>
            `${percent(bin.mean_probability)} predicted, ${percent(bin.churn_rate)} of ${count(bin.rows)} customers left`,
        }),
      ],
    }),
    [JSON.stringify(bins)],
  );
  if (!bins.length) return <Empty title="No reliability curve in this model card" />;
  const widest = bins.reduce((candidate, bin) => (gap(bin) > gap(candidate) ? bin : candidate));
  return (
    <Chart
      description={`Reliability curve with ${bins.length} bins. The widest gap: ${percent(widest.mean_probability)} predicted, ${percent(widest.churn_rate)} observed.`}
      height={300}
      draw={draw}
      table={{
        columns: ["Predicted", "Observed", "95% interval", "Customers"],
        rows: bins.map((bin) => [
          percent(bin.mean_probability),
          percent(bin.churn_rate),
          `${percent(bin.low)} to ${percent(bin.high)}`,
          count(bin.rows),
        ]),
      }}
    />
  );
}

function gap(bin: ModelCard["reliability"][number]): number {
  return Math.abs(bin.churn_rate - bin.mean_probability);
}

function Gain({ card }: { card: ModelCard }) {
  const curves = [
    { name: "this model", points: card.model.gain, colour: "#ff5d6c" },
    { name: card.baseline_method, points: card.baseline.gain, colour: "#5cb8ff" },
  ];
  const draw = useCallback(
    (plot: typeof Plot): Plot.PlotOptions => ({
      marginLeft: 48,
      marginBottom: 40,
      x: { ...SHARES, label: "customers called", labelOffset: 36 },
      y: { ...SHARES, label: "churners reached" },
      color: { domain: curves.map(({ name }) => name), range: curves.map(({ colour }) => colour), legend: true },
      marks: [
        plot.line(
          [
            { share: 0, found: 0 },
            { share: 1, found: 1 },
          ],
          { x: "share", y: "found", stroke: "#aaa5b8", strokeDasharray: "4 4" },
        ),
        ...curves.map(({ name, points, colour }) =>
          plot.line([{ share: 0, found: 0 }, ...points], {
            x: "share",
            y: "found",
            stroke: colour,
            strokeWidth: 2,
            title: () => name,
          }),
        ),
      ],
    }),
    [card.version],
  );
  const called = 0.1;
  const reached = card.model.gain.find(({ share }) => share >= called);
  return (
    <Chart
      description={`Gain curve. The riskiest ${percent(reached?.share, 0)} of customers include ${percent(reached?.found, 0)} of the churners.`}
      height={270}
      draw={draw}
      table={{
        columns: ["Customers called", "Churners reached"],
        rows: card.model.gain
          .filter((_, index) => index % Math.ceil(card.model.gain.length / 20) === 0)
          .map((point) => [percent(point.share), percent(point.found)]),
      }}
    />
  );
}
