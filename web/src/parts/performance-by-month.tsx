import { useCallback } from "preact/hooks";
import type { Schemas } from "../../../client/api-client.js";
import { count, decimal, monthAndYear } from "../formats";
import type { Loaded } from "../loading";
import { Card } from "./card";
import { Chart, type Plot } from "./chart";
import { brokenPromise, churnersInWords, daysLater, firstMonths, nextInWords, type Period, placeOf } from "./periods";
import { Empty, Show } from "./states";

const COLOURS = { promised: "#8fb8ff", estimated: "#e3b341", realised: "#ff5d6c" };

interface Interval {
  low: number;
  high: number;
}

/** The AUC of each month: promised at training, estimated without outcomes, and realised. */
export function PerformanceByMonth({ of }: { of: Loaded<{ data: Schemas["PerformanceView"] }> }) {
  return (
    <Card
      title="Performance by month"
      note="ROC AUC as promised at training, estimated without outcomes and realised, with 95% intervals; a dashed line marks a new version"
      wide
    >
      <Show of={of} lines={6}>
        {({ data }) => <Months periods={data.by_period} next={data.next_judged_on} />}
      </Show>
    </Card>
  );
}

function Months({ periods, next }: { periods: Period[]; next: string | null }) {
  const judged = periods.some(({ realised }) => realised);
  const sentence = nextInWords(next, judged);
  if (!periods.length) return <Empty title="No month has been judged yet">{sentence}</Empty>;
  const broken = brokenPromise(periods);
  return (
    <>
      {broken ? <p class="notice">{broken}</p> : null}
      <AucByMonth periods={periods} />
      <p class="after">{churnersInWords(periods)}</p>
      {sentence ? <p class="quiet">{sentence}</p> : null}
    </>
  );
}

function AucByMonth({ periods }: { periods: Period[] }) {
  const draw = useCallback(
    (plot: typeof Plot): Plot.PlotOptions => {
      const placed = periods.map((month) => ({ ...month, ...placeOf(month.period) }));
      const promised = placed.filter(({ promised }) => promised?.roc_auc != null);
      const realised = placed.filter(({ realised }) => realised?.roc_auc != null);
      const versions = firstMonths(periods).map((first) => ({ ...first, ...placeOf(first.period) }));
      return {
        marginLeft: 52,
        marginTop: 12,
        x: { label: null, type: "utc", ticks: 6 },
        y: { label: null, grid: true, ticks: 5, tickFormat: ".2f", nice: true },
        color: { domain: Object.keys(COLOURS), range: Object.values(COLOURS), legend: true },
        marks: [
          plot.ruleX(versions, {
            x: "start",
            stroke: "var(--quiet)",
            strokeDasharray: "2 4",
            title: ({ version, period }: (typeof versions)[number]) => `${version}, from ${monthAndYear(period)}`,
          }),
          plot.rectY(promised, {
            x1: "start",
            x2: "end",
            y1: (month) => month.promised?.roc_auc_interval?.low ?? month.promised?.roc_auc,
            y2: (month) => month.promised?.roc_auc_interval?.high ?? month.promised?.roc_auc,
            fill: COLOURS.promised,
            fillOpacity: 0.16,
          }),
          plot.ruleY(promised, {
            x1: "start",
            x2: "end",
            y: (month) => month.promised?.roc_auc,
            stroke: () => "promised",
            strokeWidth: 2,
          }),
          plot.dot(placed, {
            x: (month) => daysLater(month.middle, -4),
            y: (month) => month.estimated.roc_auc,
            stroke: () => "estimated",
            strokeWidth: 2,
            r: 4,
          }),
          plot.ruleX(realised, {
            x: (month) => daysLater(month.middle, 4),
            y1: (month) => month.realised?.roc_auc_interval?.low,
            y2: (month) => month.realised?.roc_auc_interval?.high,
            stroke: () => "realised",
            strokeWidth: 2,
          }),
          plot.dot(realised, {
            x: (month) => daysLater(month.middle, 4),
            y: (month) => month.realised?.roc_auc,
            fill: () => "realised",
            r: 4.5,
          }),
          plot.tip(
            placed,
            plot.pointerX({
              x: "middle",
              y: (month) => month.realised?.roc_auc ?? month.estimated.roc_auc ?? month.promised?.roc_auc,
              title: (month) => inWords(month),
            }),
          ),
        ],
      };
    },
    [JSON.stringify(periods)],
  );
  const newest = periods.filter(({ realised }) => realised).at(-1) ?? periods.at(-1);
  return (
    <Chart
      description={newest ? inWords(newest).replaceAll("\n", "; ") : ""}
      height={300}
      draw={draw}
      table={{
        columns: [
          "Month",
          "Version",
          "Customers",
          "Outcomes known",
          "Promised AUC",
          "Estimated AUC",
          "Realised AUC",
          "Promised log loss",
          "Realised log loss",
          "Expected churners",
          "Observed churners",
          "Predicted churners",
          "Precision",
          "Recall",
        ],
        rows: [...periods]
          .reverse()
          .map((month) => [
            monthAndYear(month.period),
            month.model_version,
            count(month.rows),
            count(month.left + month.stayed),
            withInterval(month.promised?.roc_auc, month.promised?.roc_auc_interval),
            decimal(month.estimated.roc_auc),
            withInterval(month.realised?.roc_auc, month.realised?.roc_auc_interval),
            decimal(month.promised?.log_loss),
            decimal(month.realised?.log_loss),
            count(month.realised?.expected),
            count(month.realised?.observed),
            count(month.realised?.at_threshold?.called),
            decimal(month.realised?.at_threshold?.precision),
            decimal(month.realised?.at_threshold?.recall),
          ]),
      }}
    />
  );
}

function inWords(month: Period): string {
  return [
    `${monthAndYear(month.period)}, version ${month.model_version}`,
    `promised ${withInterval(month.promised?.roc_auc, month.promised?.roc_auc_interval)}`,
    `estimated ${decimal(month.estimated.roc_auc)}`,
    month.realised
      ? `realised ${withInterval(month.realised.roc_auc, month.realised.roc_auc_interval)}, ${count(month.realised.observed)} churners ` +
        `of ${count(month.realised.expected)} expected`
      : "not judged yet",
  ].join("\n");
}

function withInterval(value: number | null | undefined, interval: Interval | null | undefined): string {
  return interval ? `${decimal(value)} (${decimal(interval.low)} to ${decimal(interval.high)})` : decimal(value);
}
