import type { ComponentChildren } from "preact";
import type { Schemas } from "../../../client/api-client.js";
import { count, decimal, percent } from "../formats";
import type { Loaded } from "../loading";
import { Card } from "./card";
import { firstInWords } from "./periods";
import { Show } from "./states";
import { Table } from "./table";

type Figures = Record<string, unknown> | null | undefined;

const ROWS: [title: string, cell: (figures: Figures) => ComponentChildren][] = [
  ["ROC AUC", (figures) => <WithInterval figures={figures} />],
  ["Log loss", (figures) => figure(figures?.log_loss)],
  ["Brier score", (figures) => figure(figures?.brier)],
  ["Precision", (figures) => figure(figures?.precision)],
  ["Recall", (figures) => figure(figures?.recall)],
  ["Customers", (figures) => count((figures?.customers ?? figures?.rows) as number | undefined)],
  ["Share who left", (figures) => percent(figures?.churn_rate as number | undefined)],
];

/** The model's figures on held-out customers, in judged months, and as estimated for the customers scored last. */
export function Performance({ of: performance }: { of: Loaded<{ data: Schemas["PerformanceView"] }> }) {
  return (
    <Card title="Model performance" note="Measured at training, realised in judged months, and estimated for today">
      <Show of={performance} lines={5}>
        {({ data }) => {
          const columns: [string, Figures, string][] = [
            ["At training", data.held_out.metrics, data.held_out.basis],
            ["Realised", data.realised as Figures, data.realised?.basis ?? firstInWords(data.first_judged_on)],
            ["Estimated", data.estimate as Figures, data.estimate?.basis ?? "No customers scored yet."],
          ];
          return (
            <>
              <Table
                caption="Model performance"
                class="performance"
                narrow="scroll"
                columns={[
                  { title: "Figure", rowHeader: true, cell: ([title]) => title },
                  ...columns.map(([title, figures]) => ({
                    title,
                    number: true,
                    cell: ([, cell]: (typeof ROWS)[number]) => cell(figures),
                  })),
                ]}
                rows={ROWS}
                keyOf={([title]) => title}
              />
              <dl class="bases">
                {columns.map(([title, , basis]) => (
                  <div key={title}>
                    <dt>{title}</dt>
                    <dd>{basis}</dd>
                  </div>
                ))}
              </dl>
            </>
          );
        }}
      </Show>
    </Card>
  );
}

function figure(value: unknown): string {
  return decimal(typeof value === "number" ? value : null);
}

function WithInterval({ figures }: { figures: Figures }) {
  const interval = figures?.roc_auc_interval as { low: number; high: number } | null | undefined;
  return (
    <>
      {figure(figures?.roc_auc)}
      {interval ? (
        <small>
          <br />
          {decimal(interval.low)} to {decimal(interval.high)}
        </small>
      ) : null}
    </>
  );
}
