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
  validate: "Looking for traps in the data",
  train: "Fitting models",
  evaluate: "Measuring on customers it has not seen",
  gate: "Comparing with the model in service",
  register: "Storing the version",
  promote: "Putting it into service",
  score: "Scoring everybody",
  notify: "Telling those who want to know",
};

/** Starts a training run and shows its steps as they happen. */
export function Training({ finished }: { finished: () => void }) {
  const [run, setRun] = useState<string | null>(null);
  const [asking, setAsking] = useState(false);
  const start = useAction(async () => {
    setRun((await api.trainModel()).data.run_id);
    setAsking(false);
  });
  return (
    <Card title="Training" note="Fits on all known outcomes; a new version goes into service only when it is not worse">
      {run ? (
        <Steps key={run} id={run} finished={finished} />
      ) : (
        <p>The model is retrained on a schedule. It can also be done now.</p>
      )}
      {may("admin") ? (
        <p class="after">
          <button type="button" class="primary" onClick={() => setAsking(true)}>
            Train now
          </button>
        </p>
      ) : (
        <p class="quiet">Training is for administrators.</p>
      )}
      {asking ? (
        <Confirm
          title="Train a new version?"
          action="Train"
          busy={start.busy}
          confirm={() => void start.run()}
          close={() => setAsking(false)}
        >
          <p>
            It takes some minutes. If the new version passes the comparison, it goes into service and everybody is
            scored.
          </p>
          {start.error ? <Failure error={start.error} /> : null}
        </Confirm>
      ) : null}
    </Card>
  );
}

function Steps({ id, finished }: { id: string; finished: () => void }) {
  const found = useLoaded(async () => {
    const run = (await api.getTraining(id)).data;
    if (run.status !== "RUNNING") finished();
    return run;
  }, [id]);
  const running = found.loading.data?.status !== "SUCCEEDED" && found.loading.data?.status !== "FAILED";
  useRepeated(found.reload, 1.5, running);
  return (
    <Show of={found}>
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
  return names.map((name) => ({ name, status: done.get(name) ?? (run.status === "RUNNING" ? "waiting" : "not done") }));
}

function outcome(run: Run): string {
  if (run.status === "FAILED")
    return `The run failed: ${run.reason ?? "the reason is not known"} The model in service stays.`;
  if (!run.result) return "";
  const { version, roc_auc: auc, promoted, reasons } = run.result;
  return promoted
    ? `${version} is in service, with a ROC AUC of ${decimal(auc)}.`
    : `${version} (ROC AUC ${decimal(auc)}) was not put into service: ${reasons.join(" ")}`;
}
