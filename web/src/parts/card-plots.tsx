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
        note="Observed churn rate by predicted probability; on the dashed line, the probabilities are calibrated"
      >
        <Show of={card} lines={6}>
          {({ data }) => <Reliability card={data} />}
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
const TICKS = [0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5];
const LOGARITHMIC = {
  type: "log",
  tickFormat: (share: number) => `${Number((share * 100).toPrecision(2))}%`,
  grid: true,
} as const;

function Reliability({ card }: { card: ModelCard }) {
  const { reliability: bins, corp, reliability_scale: scale } = card;
  const first = scale === "log" ? firstTick(bins) : 0;
  const shown = (share: number) => Math.max(share, first);
  const steps = (corp?.probability ?? []).map((probability, place) => ({
    probability: shown(probability),
    rate: shown(corp?.churn_rate[place] ?? 0),
  }));
  const draw = useCallback(
    (plot: typeof Plot): Plot.PlotOptions => {
      const axis =
        scale === "log"
          ? { ...LOGARITHMIC, domain: [first, 1], ticks: [...TICKS.filter((tick) => tick >= first), 1] }
          : SHARES;
      return {
        marginLeft: 48,
        marginBottom: 40,
        x: { ...axis, label: "predicted", labelOffset: 36 },
        y: { ...axis, label: "observed" },
        marks: [
          plot.line(
            [
              { at: first, left: first },
              { at: 1, left: 1 },
            ],
            { x: "at", y: "left", stroke: "#aaa5b8", strokeDasharray: "4 4" },
          ),
          plot.line(steps, { x: "probability", y: "rate", stroke: "#5cb8ff", strokeOpacity: 0.7 }),
          plot.ruleX(bins, {
            x: "mean_probability",
            y1: (bin) => shown(bin.low),
            y2: (bin) => shown(bin.high),
            stroke: "#ff5d6c",
            strokeOpacity: 0.6,
          }),
          plot.dot(bins, {
            x: "mean_probability",
            y: (bin) => shown(bin.churn_rate),
            fill: "#ff5d6c",
            r: 4,
            tip: true,
            title: (bin) =>
              `${percent(bin.mean_probability)} predicted, ${percent(bin.churn_rate)} of ${count(bin.rows)} customers left`,
          }),
        ],
      };
    },
    [card.version],
  );
  if (!bins.length) return <Empty title="No reliability curve in this model card" />;
  const agreeing = bins.filter(({ low, high, mean_probability: predicted }) => low <= predicted && predicted <= high);
  const widest = bins.reduce((candidate, bin) => (gap(bin) > gap(candidate) ? bin : candidate));
  return (
    <>
      <Chart
        description={`Reliability curve with ${bins.length} bins; in ${agreeing.length} of them the 95% interval of the churn rate holds the prediction. The widest gap: ${percent(widest.mean_probability)} predicted, ${percent(widest.churn_rate)} observed.`}
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
      <p class="quiet">
        Dots are bins of about equal numbers of customers, with 95% intervals.
        {steps.length ? " The thin line needs no bins (CORP)." : ""}
        {scale === "log" ? " Both scales are logarithmic, because churn is rare." : ""}
      </p>
    </>
  );
}

/** The largest of 0.1%, 0.2%, 0.5%, 1%… that no dot is below. */
function firstTick(bins: ModelCard["reliability"]): number {
  const least = Math.min(
    ...bins.flatMap((bin) => [bin.mean_probability, bin.churn_rate, bin.low].filter((share) => share > 0)),
  );
  return TICKS.filter((tick) => tick <= least).at(-1) ?? 0.0001;
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
