import { useState } from "preact/hooks";
import { bestPossible, count, counted, date, decimal } from "../formats";
import { useLoaded } from "../loading";
import { Figure, Synthetic } from "../parts/card";
import { CardPlots } from "../parts/card-plots";
import { Drift } from "../parts/drift";
import { Performance } from "../parts/performance";
import { PerformanceByMonth } from "../parts/performance-by-month";
import { Rollback } from "../parts/promotion";
import { Empty, Show } from "../parts/states";
import { Training } from "../parts/training";
import { type Status, Versions } from "../parts/versions";
import { api } from "../session";
import "../styles/model.css";

/** The model in service: figures, training, versions and drift. */
export default function Model() {
  const [turn, setTurn] = useState(0);
  const changed = () => setTurn((now) => now + 1);
  const status = useLoaded(() => api.getModelStatus(), [turn]);
  const performance = useLoaded(() => api.getModelPerformance(), [turn]);
  const inService = status.loading.data?.data.model;
  return (
    <>
      <Show of={status} lines={4}>
        {({ data }) => (
          <>
            <div class="heading">
              <div>
                <h1>
                  Model <Synthetic when={data.model?.synthetic} />
                </h1>
                <p class="quiet">{summary(data)}</p>
              </div>
              <Rollback previous={data.previous} changed={changed} />
            </div>
            {data.model ? (
              <Figures status={data} />
            ) : (
              <Empty title="No model is in service">Train a model below.</Empty>
            )}
          </>
        )}
      </Show>
      <div class="grid">
        <Training finished={changed} />
        {inService ? <Performance of={performance} /> : null}
      </div>
      {inService ? <PerformanceByMonth of={performance} /> : null}
      <Versions turn={turn} changed={changed} />
      {inService ? <CardPlots version={inService.version} /> : null}
      <Drift turn={turn} />
    </>
  );
}

function summary(status: Status): string {
  if (!status.model) return "Customers are scored once a model is in service.";
  return `Version ${status.model.version} · in service since ${date(status.promoted_at)} (${status.promoted_by})`;
}

function Figures({ status }: { status: Status }) {
  const model = status.model;
  if (!model) return null;
  const figures = model.metrics;
  const { precision, recall } = figures as Record<string, unknown> as Record<string, number | undefined>;
  const judgedOn = `${interval(figures.roc_auc_interval)} on ${counted(figures.rows, "held-out customer")}${crossFitted(figures)}`;
  return (
    <div class="figures">
      <Figure
        title="ROC AUC"
        value={decimal(figures.roc_auc)}
        note={model.ceiling ? `${judgedOn} · ${bestPossible(figures.roc_auc, model.ceiling.roc_auc)}` : judgedOn}
      />
      {figures.observed_to_expected == null ? (
        <Figure
          title="Calibration error (ECE)"
          value={decimal(figures.ece)}
          note="mean gap between predicted and observed rates"
        />
      ) : (
        <Figure
          title="Observed to expected churners"
          value={decimal(figures.observed_to_expected, 2)}
          note={`${interval(figures.observed_to_expected_interval, 2)} · slope ${decimal(figures.calibration_slope, 2)} · 1 is best`}
        />
      )}
      <Figure
        title="Log loss"
        value={decimal(figures.log_loss)}
        note={
          model.ceiling ? `best possible on this synthetic data: ${decimal(model.ceiling.log_loss)}` : "lower is better"
        }
      />
      <Figure
        title="Precision and recall"
        value={`${decimal(precision, 2)} / ${decimal(recall, 2)}`}
        note={`at threshold ${decimal(model.threshold)}`}
      />
    </div>
  );
}

function interval(ends: { low: number; high: number } | null | undefined, digits = 3): string {
  return ends
    ? `95% interval ${decimal(ends.low, digits)} to ${decimal(ends.high, digits)}`
    : "too few churners for an interval";
}

/** The ROC AUC over all customers of a small table, each scored by a model of others. */
function crossFitted({ cross_fitted: all }: NonNullable<Status["model"]>["metrics"]): string {
  if (!all) return "";
  return ` · cross-fitted over all ${count(all.rows)}: ${decimal(all.roc_auc)}, ${interval(all.intervals.roc_auc)}`;
}
