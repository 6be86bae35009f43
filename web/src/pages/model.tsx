import { useState } from "preact/hooks";
import { bestPossible, counted, date, decimal } from "../formats";
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
  const figures = model.metrics as typeof model.metrics & Record<string, number | undefined>;
  return (
    <div class="figures">
      <Figure
        title="ROC AUC"
        value={decimal(figures.roc_auc)}
        note={
          model.ceiling
            ? bestPossible(figures.roc_auc, model.ceiling.roc_auc)
            : `on ${counted(figures.rows ?? 0, "held-out customer")}`
        }
      />
      <Figure
        title="Calibration error (ECE)"
        value={decimal(figures.ece)}
        note="mean gap between predicted and observed rates"
      />
      <Figure
        title="Log loss"
        value={decimal(figures.log_loss)}
        note={
          model.ceiling ? `best possible on this synthetic data: ${decimal(model.ceiling.log_loss)}` : "lower is better"
        }
      />
      <Figure
        title="Precision and recall"
        value={`${decimal(figures.precision, 2)} / ${decimal(figures.recall, 2)}`}
        note={`at threshold ${decimal(model.threshold)}`}
      />
    </div>
  );
}
