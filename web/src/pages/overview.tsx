import { useCallback, useState } from "preact/hooks";
import type { Schemas } from "../../../client/api-client.js";
import { ago, bestPossible, count, counted, decimal, money, moneyChange, percent, pointSize, signed } from "../formats";
import { useLoaded } from "../loading";
import { Card, Figure, Synthetic } from "../parts/card";
import { Chart, type Plot } from "../parts/chart";
import { changeOf, rateInWords, withoutRate } from "../parts/churn";
import { ChurnByMonth } from "../parts/churn-by-month";
import { Choice } from "../parts/fields";
import { Empty, Show } from "../parts/states";
import { Trend } from "../parts/trend";
import { api } from "../session";

type Metrics = Schemas["MetricsView"];

/** The headline figures, their changes and trend, the distribution of churn probability and the top factors. */
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
                Call list
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
      <Show of={metrics}>
        {({ data }) => (
          <div class="grid">
            <ChurnByMonth months={data.churn_by_month} />
            <Trend metrics={data} />
          </div>
        )}
      </Show>
    </>
  );
}

function NoCustomers() {
  return (
    <Empty title="No customers yet">
      <p>Import customers from a CSV file. The figures appear once a model is trained and the customers are scored.</p>
      <a href="/data">Import customers</a>
    </Empty>
  );
}

function Freshness({ metrics }: { metrics: Metrics }) {
  const { freshness, model } = metrics;
  if (!model) return <p class="quiet">No model is in service yet. Train a model on the Model page.</p>;
  return (
    <p class="quiet">
      Scored {ago(freshness.scored_at)} · model trained {ago(model.created_at)} · {count(metrics.customers.scored)} of{" "}
      {counted(metrics.customers.active, "active customer")} scored
    </p>
  );
}

function Figures({ metrics }: { metrics: Metrics }) {
  const { revenue_at_risk: revenue, predicted_churners: churners, model } = metrics;
  const changes = metrics.changes.in_last_run;
  const interval = model?.roc_auc_interval;
  return (
    <div class="figures">
      <Figure
        title="Expected churners"
        value={count(churners.expected)}
        change={since(changes?.expected_churners, (value) => signed(value, 0))}
        note={expectation(churners)}
      />
      <Figure
        title="Revenue at risk"
        value={money(revenue?.total, revenue?.currency, 0)}
        change={since(changes?.revenue_at_risk, (value) => moneyChange(value, revenue?.currency))}
        note={
          revenue
            ? `over ${revenue.months} months · ${money(revenue.of_predicted_churners, revenue.currency, 0)} from high risk and above`
            : "the schema has no price"
        }
      />
      <ChurnRate metrics={metrics} />
      <Figure
        title="Model quality (ROC AUC)"
        value={decimal(model?.roc_auc)}
        change={since(changes?.roc_auc, (value) => signed(value, 3))}
        note={quality(interval, model?.roc_auc, model?.ceiling_roc_auc)}
      />
    </div>
  );
}

/** The horizon, the interval and the number at high risk, in words. */
function expectation({
  horizon_days: days,
  expected_interval: ends,
  count: called,
}: Metrics["predicted_churners"]): string {
  const within = `within ${days ?? "the next"} days`;
  const range = ends ? ` · 95% interval ${count(ends.low)} to ${count(ends.high)}` : "";
  return `${within}${range} · ${counted(called, "customer")} at high risk or above`;
}

function ChurnRate({ metrics }: { metrics: Metrics }) {
  const { churn_rate: rate, churn_by_month: months } = metrics;
  return (
    <Figure
      title="Churn rate"
      value={percent(rate?.rate)}
      change={rate ? changeOf(rate, months) : null}
      note={rate ? rateInWords(rate) : withoutRate(months)}
    />
  );
}

function since(change: number | null | undefined, write: (value: number) => string) {
  return change == null ? <small>first run</small> : `${write(change)} since the previous run`;
}

function quality(
  interval: { low: number; high: number } | null | undefined,
  auc: number | null | undefined,
  ceiling: number | null | undefined,
): string {
  const range = interval ? `95% interval ${decimal(interval.low)} to ${decimal(interval.high)}` : "without an interval";
  return ceiling ? `${range} · ${bestPossible(auc, ceiling)}` : range;
}

const ALL = "";

function Distribution() {
  const [plan, setPlan] = useState(ALL);
  const distribution = useLoaded(() => api.getDistribution(), []);
  return (
    <Card
      title="Churn probability"
      note="Customers by probability"
      aside={
        distribution.loading.data ? (
          <Choice
            label="Group"
            value={plan}
            choose={setPlan}
            options={[
              [ALL, "all"],
              ...distribution.loading.data.data.groups.map(({ group }) => [group, group] as const),
            ]}
          />
        ) : null
      }
    >
      <Show of={distribution} lines={6}>
        {({ data }) => {
          const shown = plan === ALL ? data : data.groups.find(({ group }) => group === plan);
          return shown?.customers ? (
            <Histogram edges={data.edges} counts={shown.counts} />
          ) : (
            <Empty title="No customers scored yet" />
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
          title: (bin) => `${percent(bin.from, 0)} to ${percent(bin.to, 0)}: ${counted(bin.customers, "customer")}`,
          tip: true,
        }),
        plot.ruleY([0]),
      ],
      color: { type: "linear", domain: [0, 0.15, 0.4, 1], range: ["#4cc38a", "#e3b341", "#ff9052", "#ff6b81"] },
    }),
    [JSON.stringify(bins)],
  );
  const most = bins.reduce((candidate, bin) => (bin.customers > candidate.customers ? bin : candidate));
  return (
    <Chart
      height={470}
      description={`Histogram of churn probability. The largest group, ${counted(most.customers, "customer")}, is between ${percent(most.from, 0)} and ${percent(most.to, 0)}.`}
      draw={draw}
      table={{
        columns: ["Probability", "Customers"],
        rows: bins.map((bin) => [`${percent(bin.from, 0)} to ${percent(bin.to, 0)}`, count(bin.customers)]),
      }}
    />
  );
}

const ARROWS: Record<string, string> = {
  increasing: "↑ higher values raise the risk",
  decreasing: "↓ higher values lower the risk",
};

function Factors() {
  const factors = useLoaded(() => api.getTopFeatures(), []);
  return (
    <Card title="Top factors" note="How far a column moves a customer's churn probability, up or down, on average">
      <Show of={factors} lines={6}>
        {({ data }) =>
          data.length ? (
            <ul class="bars">
              {data.slice(0, 8).map((factor) => (
                <li key={factor.feature}>
                  <div class="line">
                    <span>{factor.label}</span>
                    <b>±{pointSize(factor.points)}</b>
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
            <Empty title="No customers scored yet" />
          )
        }
      </Show>
    </Card>
  );
}
