import { count, decimal, percent } from "../formats";
import { useLoaded } from "../loading";
import { api } from "../session";
import { Card, Scroll } from "./card";
import { Empty, Show } from "./states";

type Column = Record<string, unknown> | null | undefined;

const ROWS = [
  ["roc_auc", "ROC AUC"],
  ["log_loss", "Log loss"],
  ["brier", "Brier score"],
  ["precision", "Precision"],
  ["recall", "Recall"],
] as const;

/** How good the scores are: measured at training, measured since, and expected now. */
export function Performance({ turn }: { turn: number }) {
  const performance = useLoaded(() => api.getModelPerformance(), [turn]);
  return (
    <Card
      title="How good it is"
      note="Measured at training, measured since by recorded outcomes, and expected today without labels"
    >
      <Show of={performance} lines={5}>
        {({ data }) => {
          const columns: [string, Column, string][] = [
            ["At training", data.held_out.metrics, data.held_out.basis],
            ["Since then", data.realised as Column, data.realised?.basis ?? "No outcome has been recorded yet."],
            ["Expected now", data.estimate as Column, data.estimate?.basis ?? "Nobody is scored yet."],
          ];
          return (
            <>
              <Scroll label="How good it is">
                <table class="performance">
                  <thead>
                    <tr>
                      <th scope="col">Figure</th>
                      {columns.map(([name]) => (
                        <th key={name} scope="col" class="number">
                          {name}
                        </th>
                      ))}
                    </tr>
                  </thead>
                  <tbody>
                    {ROWS.map(([key, label]) => (
                      <tr key={key}>
                        <th scope="row">{label}</th>
                        {columns.map(([name, figures]) => (
                          <td key={name} class="number">
                            {figure(figures?.[key])}
                            {key === "roc_auc" ? <Interval of={figures} /> : null}
                          </td>
                        ))}
                      </tr>
                    ))}
                    <tr>
                      <th scope="row">Customers</th>
                      {columns.map(([name, figures]) => (
                        <td key={name} class="number">
                          {count((figures?.customers ?? figures?.rows) as number | undefined)}
                        </td>
                      ))}
                    </tr>
                    <tr>
                      <th scope="row">Churn rate</th>
                      {columns.map(([name, figures]) => (
                        <td key={name} class="number">
                          {percent(figures?.churn_rate as number | undefined)}
                        </td>
                      ))}
                    </tr>
                  </tbody>
                </table>
              </Scroll>
              <dl class="bases">
                {columns.map(([name, , basis]) => (
                  <div key={name}>
                    <dt>{name}</dt>
                    <dd>{basis}</dd>
                  </div>
                ))}
              </dl>
            </>
          );
        }}
      </Show>
      {performance.loading.state === "failed" && performance.loading.error.status === 404 ? (
        <Empty title="No model yet" />
      ) : null}
    </Card>
  );
}

function figure(value: unknown): string {
  return decimal(typeof value === "number" ? value : null);
}

function Interval({ of }: { of: Column }) {
  const interval = of?.roc_auc_interval as { low: number; high: number } | null | undefined;
  return interval ? (
    <small>
      <br />
      {decimal(interval.low)} to {decimal(interval.high)}
    </small>
  ) : null;
}
