import { useState } from "preact/hooks";
import type { Schemas } from "../../../client/api-client.js";
import { decimal } from "../formats";
import { useAction, useLoaded, useRepeated } from "../loading";
import { api, may } from "../session";
import { Card } from "./card";
import { Confirm } from "./dialog";
import { Failure, Show } from "./states";

type Run = Schemas["TrainingView"];

const SENTENCES: Record<string, string> = {
  extract: "Collecting customers with a known outcome",
  validate: "Checking the training data",
  train: "Training models",
  evaluate: "Evaluating on held-out customers",
  gate: "Comparing with the model in service",
  register: "Storing the version",
  promote: "Promoting the version",
  score: "Scoring all customers",
  notify: "Sending notifications",
};

/** Starts a training run and shows its steps. */
export function Training({ finished }: { finished: () => void }) {
  const [run, setRun] = useState<Run | null>(null);
  const [confirming, setConfirming] = useState(false);
  const start = useAction(async () => {
    setRun((await api.trainModel()).data);
    setConfirming(false);
  });
  return (
    <Card
      title="Training"
      note="Trains on all known outcomes. A new version is promoted if it is better than the model in service, or as good and newer"
    >
      {run ? (
        <>
          {run.already_running ? <p>A training run was already under way. No other was started.</p> : null}
          <Steps key={run.run_id} id={run.run_id} finished={finished} />
        </>
      ) : (
        <p>The model is retrained on a schedule. You can also start a run now.</p>
      )}
      {may("admin") ? (
        <p class="after">
          <button type="button" class="primary" onClick={() => setConfirming(true)}>
            Train now
          </button>
        </p>
      ) : (
        <p class="quiet">Only administrators can start a training run.</p>
      )}
      {confirming ? (
        <Confirm
          title="Train a new version?"
          action="Train"
          busy={start.busy}
          confirm={() => void start.run()}
          close={() => setConfirming(false)}
        >
          <p>
            Training takes a few minutes. If the new version replaces the model in service, all customers are scored.
            Otherwise the model stays, and the result says why.
          </p>
          {start.error ? <Failure error={start.error} /> : null}
        </Confirm>
      ) : null}
    </Card>
  );
}

function Steps({ id, finished }: { id: string; finished: () => void }) {
  const training = useLoaded(async () => {
    const run = (await api.getTraining(id)).data;
    if (run.status !== "RUNNING") finished();
    return run;
  }, [id]);
  const status = training.loading.data?.status;
  useRepeated(training.reload, 1.5, status !== "SUCCEEDED" && status !== "FAILED");
  return (
    <Show of={training}>
      {(run) => (
        <div aria-live="polite">
          <ol class="steps">
            {stepsOf(run).map(({ name, status }) => (
              <li key={name} data-status={status}>
                {SENTENCES[name] ?? name} <small>{status}</small>
              </li>
            ))}
          </ol>
          <p>{outcome(run)}</p>
        </div>
      )}
    </Show>
  );
}

function stepsOf(run: Run): { name: string; status: string }[] {
  const done = new Map(run.steps.map((step) => [step.name, step.status.toLowerCase()]));
  const names = [...new Set([...(run.planned_steps ?? []), ...done.keys()])];
  return names.map((name) => ({ name, status: done.get(name) ?? (run.status === "RUNNING" ? "waiting" : "not run") }));
}

function outcome(run: Run): string {
  if (run.status === "FAILED")
    return `The run failed: ${run.reason ?? "unknown reason."} The model in service is unchanged.`;
  if (!run.result) return "";
  const { version, roc_auc: auc, promoted, reasons } = run.result;
  const doubts = run.result.doubts ?? [];
  if (promoted) return [`${version} is in service, with a ROC AUC of ${decimal(auc)}.`, ...doubts].join(" ");
  const verdict = run.result.status === "rejected" ? "was rejected" : "was not promoted";
  return `${version} (ROC AUC ${decimal(auc)}) ${verdict}: ${[...reasons, ...doubts].join(" ")}`;
}
