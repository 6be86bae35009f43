import type { Schemas } from "../../../client/api-client.js";
import { count, wholeDay } from "../formats";
import { importSentences } from "./import-sentences";
import { Table } from "./table";

type Import = Schemas["ImportView"];

const STEPS: Record<string, string> = {
  survey: "Counting the rows",
  compare: "Comparing rows of the same customer",
  load: "Checking and storing the rows",
  verify: "Verifying the totals",
  keep: "Keeping the history",
};
const SHOWN_REJECTS = 20;

/** An import: its progress, its counts, and the rejected rows with their reasons. */
export function ImportProgress({ run }: { run: Import }) {
  const { counts } = run;
  return (
    <div class="stack" aria-live="polite">
      <p>
        <b>{run.file_name}</b> · {progress(run)}
      </p>
      {run.status === "RUNNING" ? (
        <progress value={run.rows ? counts.read : undefined} max={run.rows ?? undefined} aria-label="Rows read" />
      ) : null}
      {run.status === "FAILED" ? (
        <div class="failure" role="alert">
          <h3>The import failed</h3>
          <p>{run.reason}</p>
        </div>
      ) : null}
      <dl class="counts">
        <Count name="rows" value={run.rows ?? counts.read} />
        <Count name="accepted" value={counts.accepted} />
        <Count name="rejected" value={counts.rejected} warn={counts.rejected > 0} />
        <Count name="new" value={counts.created} />
        <Count name="changed" value={counts.changed} />
        <Count name="unchanged" value={counts.unchanged} />
        <Count name="older" value={counts.older} />
      </dl>
      <dl class="counts">
        <Count name="left" value={counts.left} />
        <Count name="stayed" value={counts.stayed} />
        <Count name="not known" value={counts.not_known} />
        <Count name="kept for training" value={counts.snapshots} />
      </dl>
      <p class="quiet">
        Features as of {wholeDay(run.features_as_of)}, outcomes as of {wholeDay(run.outcomes_as_of)}.
      </p>
      {importSentences(counts).map((sentence) => (
        <p key={sentence}>{sentence}</p>
      ))}
      {run.notes.map((note) => (
        <p key={note} class="quiet">
          {note}
        </p>
      ))}
      <Rejects run={run} />
    </div>
  );
}

function progress(run: Import): string {
  if (run.status === "WAITING") return "waiting for the upload";
  if (run.status === "SUCCEEDED") return "done";
  if (run.status === "FAILED") return "failed";
  return `${STEPS[run.step ?? ""] ?? "Starting"}…`;
}

function Count({ name, value, warn }: { name: string; value: number; warn?: boolean }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd class={warn ? "wrong" : undefined}>{count(value)}</dd>
    </div>
  );
}

function Rejects({ run }: { run: Import }) {
  if (!run.rejects.length) return null;
  const shown = run.rejects.slice(0, SHOWN_REJECTS);
  return (
    <>
      <Table
        caption={rejectsCaption(new Set(shown.map(({ line }) => line)).size, run.counts.rejected)}
        captioned
        narrow="scroll"
        columns={[
          { title: "Line", number: true, cell: ({ line }) => line },
          { title: "Column", cell: ({ column }) => column || "whole row" },
          { title: "Reason", cell: ({ reason }) => reason },
        ]}
        rows={shown}
        keyOf={({ line, column }) => `${line} ${column}`}
      />
      {run.rejects_url ? (
        <a class="button" href={run.rejects_url} target="_blank" rel="noreferrer">
          Download all rejected rows
        </a>
      ) : null}
    </>
  );
}

/** As in "9 rejected rows", or "The first 20 of 57 rejected rows". */
function rejectsCaption(shown: number, rejected: number): string {
  if (shown < rejected) return `The first ${count(shown)} of ${count(rejected)} rejected rows`;
  return rejected === 1 ? "1 rejected row" : `${count(rejected)} rejected rows`;
}
