import { useState } from "preact/hooks";
import { count } from "../formats";
import { useAction, useLoaded, useRepeated } from "../loading";
import { api, may } from "../session";
import { Card } from "./card";
import { Failure, Show } from "./states";

/** Scores everybody now, and tells how far it is. */
export function Scoring() {
  const [run, setRun] = useState<string | null>(null);
  const start = useAction(async () => setRun((await api.generatePredictions({ all: true })).data.run_id));
  if (!may("analyst")) return null;
  return (
    <Card
      title="Score everybody"
      note="New and changed customers get their probability with the next scoring run; it can also be started now"
      aside={
        <button type="button" disabled={start.busy} onClick={() => void start.run()}>
          Score everybody now
        </button>
      }
    >
      {start.error ? <Failure error={start.error} /> : null}
      {run ? <Run key={run} id={run} /> : null}
    </Card>
  );
}

function Run({ id }: { id: string }) {
  const run = useLoaded(async () => (await api.getScoringRun(id)).data, [id]);
  const status = run.loading.data?.status;
  useRepeated(run.reload, 1.5, status !== "SUCCEEDED" && status !== "FAILED");
  return (
    <Show of={run} lines={1}>
      {(found) => <p aria-live="polite">{told(found)}</p>}
    </Show>
  );
}

function told(run: Awaited<ReturnType<typeof api.getScoringRun>>["data"]): string {
  if (run.status === "FAILED") return `The run failed: ${run.reason ?? "the reason is not known"}`;
  if (run.status === "RUNNING") return `Scoring … ${run.step ? `(${run.step})` : ""}`;
  return `${count(run.counts?.scored)} customers are scored.`;
}
