import { useCallback, useState } from "preact/hooks";
import type { Schemas } from "../../../client/api-client.js";
import { count, dateTime, decimal, money, wholeDay } from "../formats";
import { Card } from "./card";
import { Chart, type Plot } from "./chart";
import { Choice } from "./fields";
import { Empty } from "./states";

type Metrics = Schemas["MetricsView"];
type Measure = "expected_churners" | "revenue_at_risk" | "roc_auc";
type Period = "trend" | "days";
interface Point {
  /** The day of the features that were scored, or the moment of the figures. */
  at: string;
  written: string;
  value: number;
}

const PERIODS = [
  ["trend", "by run"],
  ["days", "by day"],
] as const;

/** The headline figures over time, by scoring run or by day. */
export function Trend({ metrics }: { metrics: Metrics }) {
  const [measure, setMeasure] = useState<Measure>("expected_churners");
  const [period, setPeriod] = useState<Period>("trend");
  const currency = metrics.revenue_at_risk?.currency;
  const measures: [Measure, string][] = [
    ["expected_churners", "Expected churners"],
    ["revenue_at_risk", "Revenue at risk"],
    ...(period === "trend" ? ([["roc_auc", "ROC AUC"]] as [Measure, string][]) : []),
  ];
  const title = measures.find(([name]) => name === measure)?.[1] ?? "";
  const points = pointsOf(metrics[period], measure);
  const choosePeriod = (next: Period) => {
    setPeriod(next);
    if (measure === "roc_auc") setMeasure("expected_churners");
  };
  return (
    <Card
      title="Trend"
      note="Headline figures over time, by the day of the features"
      aside={
        <div class="choices">
          <Choice label="Figure" value={measure} options={measures} choose={setMeasure} />
          <Choice label="Period" value={period} options={PERIODS} choose={choosePeriod} />
        </div>
      }
    >
      {points.length > 1 ? (
        <Line title={title} points={points} write={writer(measure, currency)} />
      ) : (
        <Empty title={points[0] ? `${title}: ${writer(measure, currency)(points[0].value)}` : "No data yet"}>
          The line starts with the second {period === "trend" ? "scoring run" : "day"}.
        </Empty>
      )}
    </Card>
  );
}

interface LineProps {
  title: string;
  points: Point[];
  write: (value: number) => string;
}

function Line({ title, points, write }: LineProps) {
  const draw = useCallback(
    (plot: typeof Plot): Plot.PlotOptions => {
      const dated = points.map((point) => ({ ...point, when: new Date(point.at) }));
      const values = points.map(({ value }) => value);
      const [low, high] = [Math.min(...values), Math.max(...values)];
      const room = (high - low || Math.abs(high) || 1) * 0.15;
      return {
        marginLeft: 64,
        marginTop: 12,
        x: { label: null, type: "utc" },
        y: { label: null, grid: true, ticks: 5, tickFormat: write, domain: [low - room, high + room] },
        marks: [
          plot.areaY(dated, {
            x: "when",
            y: "value",
            y1: low - room,
            fill: "#ff5d6c22",
          }),
          plot.lineY(dated, { x: "when", y: "value", stroke: "#ff5d6c", strokeWidth: 2 }),
          plot.dot(dated, {
            x: "when",
            y: "value",
            fill: "#ff5d6c",
            tip: true,
            title: (point) => `${point.written}: ${write(point.value)}`,
          }),
        ],
      };
    },
    [JSON.stringify(points), title],
  );
  const [first, last] = [points[0], points.at(-1)];
  return (
    <Chart
      description={`${title} from ${first ? write(first.value) : ""} on ${first?.written} to ${last ? write(last.value) : ""} on ${last?.written}.`}
      height={220}
      draw={draw}
      table={{ columns: ["When", title], rows: points.map((point) => [point.written, write(point.value)]) }}
    />
  );
}

function pointsOf(snapshots: Metrics["trend"] | Metrics["days"], measure: Measure): Point[] {
  const points = snapshots.flatMap((snapshot) => {
    const value = (snapshot as Partial<Record<Measure, number | null>>)[measure];
    if (value == null) return [];
    const day = "day" in snapshot ? snapshot.day : snapshot.features_on;
    return [{ at: day ?? snapshot.at, written: day ? wholeDay(day) : dateTime(snapshot.at), value }];
  });
  return points.sort((one, other) => (one.at < other.at ? -1 : 1));
}

function writer(measure: Measure, currency: string | undefined): (value: number) => string {
  if (measure === "expected_churners") return count;
  if (measure === "revenue_at_risk") return (value) => money(value, currency, 0);
  return decimal;
}
