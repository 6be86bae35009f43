import { useCallback, useState } from "preact/hooks";
import type { Schemas } from "../../../client/api-client.js";
import { ago, count, decimal, money, moneyChange, percent, points } from "../formats";
import { useLoaded } from "../loading";
import { Card, Figure, Synthetic } from "../parts/card";
import { Chart, type Plot } from "../parts/chart";
import { Choice } from "../parts/fields";
import { Empty, Show } from "../parts/states";
import { Trend } from "../parts/trend";
import { api } from "../session";

type Metrics = Schemas["MetricsView"];

/** The first question of the morning: how many will leave, what it costs, and whether that is more than last time. */
export default function Overview() {
  const metrics = useLoaded(() => api.getDashboardMetrics(), []);
  return (
    <>
      <Show of={metrics} lines={8}>
        {({ data }) => (
          <>
            <div class="heading">
              <div>
                <h1>
                  Overview <Synthetic when={data.model?.synthetic} />
                </h1>
                <Freshness metrics={data} />
              </div>
              <a class="button primary" href="/at-risk">
                Whom to call
              </a>
            </div>
            {data.customers.total === 0 ? <NoCustomers /> : <Figures metrics={data} />}
          </>
        )}
      </Show>
      <div class="grid">
        <Distribution />
        <Factors />
      </div>
      <Show of={metrics}>{({ data }) => <Trend metrics={data} />}</Show>
    </>
  );
}

function NoCustomers() {
  return (
    <Empty title="There are no customers yet">
      <p>Bring them in as a CSV file; the figures follow once a model is trained and everybody is scored.</p>
      <a href="/data">Import customers</a>
    </Empty>
  );
}

function Freshness({ metrics }: { metrics: Metrics }) {
  const { freshness, model } = metrics;
  if (!model) return <p class="quiet">No model is in service yet. Train one on the Model page.</p>;
  return (
    <p class="quiet">
      Scored {ago(freshness.scored_at)} · model trained {ago(model.created_at)} · {count(metrics.customers.scored)} of{" "}
      {count(metrics.customers.active)} active customers scored
    </p>
  );
}

function Figures({ metrics }: { metrics: Metrics }) {
  const { revenue_at_risk: revenue, predicted_churners: churners, model } = metrics;
  const moved = metrics.changes.in_last_run;
  const interval = model?.roc_auc_interval;
  return (
    <div class="figures">
      <Figure
        title="Predicted churners"
        value={count(churners.count)}
        change={since(moved?.predicted_churners, (value) => points(value, 0))}
        note={`in ${churners.horizon_days ?? "the next"} days; ${count(churners.expected)} expected over everybody`}
      />
      <Figure
        title="Revenue at risk"
        value={money(revenue?.total, revenue?.currency, 0)}
        change={since(moved?.revenue_at_risk, (value) => moneyChange(value, revenue?.currency))}
        note={
          revenue
            ? `over ${revenue.months} months; ${money(revenue.of_predicted_churners, revenue.currency, 0)} of predicted churners`
            : "the schema names no price"
        }
      />
      <Figure
        title="Churn rate"
        value={percent(metrics.churn_rate)}
        change={since(moved?.churn_rate, (value) => `${points(value * 100)} points`)}
        note={`among ${count(metrics.known_outcomes)} customers whose outcome is known`}
      />
      <Figure
        title="Model quality (ROC AUC)"
        value={decimal(model?.roc_auc)}
        change={since(moved?.roc_auc, (value) => points(value, 3))}
        note={quality(interval, model?.ceiling_roc_auc)}
      />
    </div>
  );
}

function since(moved: number | null | undefined, written: (value: number) => string) {
  return moved == null ? <small>the first run</small> : `${written(moved)} since the run before`;
}

function quality(
  interval: { low: number; high: number } | null | undefined,
  ceiling: number | null | undefined,
): string {
  const range = interval
    ? `95 % interval ${decimal(interval.low)} to ${decimal(interval.high)}`
    : "no interval is known";
  return ceiling ? `${range}; the true probabilities reach ${decimal(ceiling)}` : range;
}

const EVERYBODY = "";

function Distribution() {
  const [plan, setPlan] = useState(EVERYBODY);
  const distribution = useLoaded(() => api.getDistribution(), []);
  return (
    <Card
      title="How probable leaving is"
      note="Customers by churn probability"
      aside={
        distribution.loading.data ? (
          <Choice
            label="Group"
            value={plan}
            choose={setPlan}
            options={[
              [EVERYBODY, "all"],
              ...distribution.loading.data.data.groups.map(({ group }) => [group, group] as const),
            ]}
          />
        ) : null
      }
    >
      <Show of={distribution} lines={6}>
        {({ data }) => {
          const shown = plan === EVERYBODY ? data : data.groups.find(({ group }) => group === plan);
          return shown?.customers ? (
            <Histogram edges={data.edges} counts={shown.counts} />
          ) : (
            <Empty title="Nobody is scored yet" />
          );
        }}
      </Show>
    </Card>
  );
}

function Histogram({ edges, counts }: { edges: number[]; counts: number[] }) {
  const bins = counts.map((customers, bin) => ({ from: edges[bin] ?? 0, to: edges[bin + 1] ?? 1, customers }));
  const draw = useCallback(
    (plot: typeof Plot): Plot.PlotOptions => ({
      marginLeft: 48,
      marginBottom: 40,
      x: { label: "churn probability", labelOffset: 36, tickFormat: "%", domain: [0, 1] },
      y: { label: "customers", grid: true, type: "sqrt" },
      marks: [
        plot.rectY(bins, {
          x1: "from",
          x2: "to",
          y: "customers",
          fill: "from",
          insetLeft: 1,
          insetRight: 1,
          title: (bin) => `${percent(bin.from, 0)} to ${percent(bin.to, 0)}: ${count(bin.customers)} customers`,
          tip: true,
        }),
        plot.ruleY([0]),
      ],
      color: { type: "linear", domain: [0, 0.15, 0.4, 1], range: ["#4cc38a", "#e3b341", "#ff9052", "#ff6b81"] },
    }),
    [JSON.stringify(bins)],
  );
  const most = bins.reduce((found, bin) => (bin.customers > found.customers ? bin : found));
  return (
    <Chart
      height={470}
      told={`Histogram of churn probability. Most customers, ${count(most.customers)}, are between ${percent(most.from, 0)} and ${percent(most.to, 0)}.`}
      draw={draw}
      table={{
        columns: ["Probability", "Customers"],
        rows: bins.map((bin) => [`${percent(bin.from, 0)} – ${percent(bin.to, 0)}`, count(bin.customers)]),
      }}
    />
  );
}

const ARROWS: Record<string, string> = { increasing: "↑ more raises the risk", decreasing: "↓ more lowers the risk" };

function Factors() {
  const factors = useLoaded(() => api.getTopFeatures(), []);
  return (
    <Card title="What moves the scores" note="Mean effect on a customer's probability, in percentage points">
      <Show of={factors} lines={6}>
        {({ data }) =>
          data.length ? (
            <ul class="bars">
              {data.slice(0, 8).map((factor) => (
                <li key={factor.feature}>
                  <div class="line">
                    <span>{factor.label}</span>
                    <span>
                      <b>±{factor.points.toFixed(1)}</b> <small>points</small>
                    </span>
                  </div>
                  <div class="track" aria-hidden="true">
                    <span
                      style={{
                        width: `${(100 * factor.points) / Math.max(...data.map(({ points: reach }) => reach), 1e-9)}%`,
                      }}
                    />
                  </div>
                  <small>{ARROWS[String(factor.direction)] ?? factor.meaning}</small>
                </li>
              ))}
            </ul>
          ) : (
            <Empty title="Nobody is scored yet" />
          )
        }
      </Show>
    </Card>
  );
}
