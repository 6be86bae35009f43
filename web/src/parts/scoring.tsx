import { useState } from "preact/hooks";
import type { Schemas } from "../../../client/api-client.js";
import { count } from "../formats";
import { useAction, useLoaded, useRepeated } from "../loading";
import { api, may } from "../session";
import { Card } from "./card";
import { Failure, Show } from "./states";

/** Starts a scoring run and shows its progress. */
export function Scoring() {
  const [run, setRun] = useState<Schemas["ScoringRunView"] | null>(null);
  const start = useAction(async () => setRun((await api.generatePredictions({ all: true })).data));
  if (!may("analyst")) return null;
  return (
    <Card
      title="Score all customers"
      note="New and changed customers are scored in the next scheduled run. You can also start a run now"
      aside={
        <button type="button" disabled={start.busy} onClick={() => void start.run()}>
          Score all customers now
        </button>
      }
    >
      {start.error ? <Failure error={start.error} /> : null}
      {run?.already_running ? <p>A scoring run was already under way. No other was started.</p> : null}
      {run ? <Run key={run.run_id} id={run.run_id} /> : null}
    </Card>
  );
}

function Run({ id }: { id: string }) {
  const run = useLoaded(async () => (await api.getScoringRun(id)).data, [id]);
  const status = run.loading.data?.status;
  useRepeated(run.reload, 1.5, status !== "SUCCEEDED" && status !== "FAILED");
  return (
    <Show of={run} lines={1}>
      {(data) => <p aria-live="polite">{progress(data)}</p>}
    </Show>
  );
}

function progress(run: Awaited<ReturnType<typeof api.getScoringRun>>["data"]): string {
  if (run.status === "FAILED") return `The run failed: ${run.reason ?? "unknown reason"}`;
  if (run.status === "RUNNING") return `Scoring… ${run.step ? `(${run.step})` : ""}`;
  return `${count(run.counts?.scored)} customers scored.`;
}
