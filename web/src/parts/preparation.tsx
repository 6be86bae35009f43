import type { Schemas } from "../../../client/api-client.js";
import { count, NOTHING, wholeDay } from "../formats";
import { useAction, useLoaded, useRepeated } from "../loading";
import { api } from "../session";
import { preparationSentence } from "./source-sentences";
import { Failure, Show } from "./states";
import { Table } from "./table";

type Run = Schemas["PreparationView"];

/** The latest preparation: its progress, its anchors, and what it could not use. Starts another. */
export function Preparation() {
  const latest = useLoaded(async () => (await api.getLatestPreparation()).data, []);
  const running = latest.loading.data?.status === "RUNNING";
  useRepeated(latest.reload, 1.5, running);
  const start = useAction(async () => {
    await api.prepareFeatures();
    latest.reload();
  });
  return (
    <section class="stack" aria-label="Preparation">
      <p>
        <button type="button" disabled={start.busy || running} onClick={() => void start.run()}>
          Compute features now
        </button>
      </p>
      {start.error ? <Failure error={start.error} /> : null}
      <Show of={latest} lines={1}>
        {(run) => (run ? <Outcome run={run} /> : <p class="quiet">Features were not computed from the sources yet.</p>)}
      </Show>
    </section>
  );
}

function Outcome({ run }: { run: Run }) {
  return (
    <>
      <p aria-live="polite" class={run.status === "FAILED" ? "wrong" : undefined}>
        {preparationSentence(run)}
      </p>
      {run.notes.map((note) => (
        <p key={note} class="quiet">
          {note}
        </p>
      ))}
      {run.findings.length ? (
        <ul>
          {run.findings.map((finding) => (
            <li key={finding.text}>{finding.text}</li>
          ))}
        </ul>
      ) : null}
      {run.anchors.length ? (
        <details>
          <summary>Rows at {count(run.anchors.length)} anchors</summary>
          <Table
            caption="Rows by anchor"
            narrow="cards"
            columns={[
              { title: "Anchor", rowHeader: true, cell: (anchor) => wholeDay(anchor.anchor) },
              { title: "Customers", number: true, cell: (anchor) => count(anchor.rows) },
              { title: "Left", number: true, cell: (anchor) => (anchor.labelled ? count(anchor.left) : NOTHING) },
              { title: "Stayed", number: true, cell: (anchor) => (anchor.labelled ? count(anchor.stayed) : NOTHING) },
            ]}
            rows={run.anchors}
            keyOf={(anchor) => anchor.anchor}
          />
        </details>
      ) : null}
    </>
  );
}
