import type { Schemas } from "../../../client/api-client.js";
import { count, counted, wholeDay } from "../formats";
import type { Ids } from "./import-form";
import { kindInWords } from "./import-kinds";
import { importSentences } from "./import-sentences";
import { LearnLevel } from "./learn-level";
import { Table } from "./table";

type Import = Schemas["ImportView"];

const STEPS: Record<string, string> = {
  survey: "Counting the rows",
  compare: "Comparing rows of the same customer",
  load: "Checking and storing the rows",
  verify: "Verifying the totals",
  keep: "Keeping the history",
};
const SHOWN_KINDS = 20;

interface ImportProgressProps {
  run: Import;
  /** Imports the same file again, where the page still has it. */
  again?: ((ids: Ids) => void) | undefined;
}

/** An import: its progress, its counts, and why rows were rejected or cells not read. */
export function ImportProgress({ run, again }: ImportProgressProps) {
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
      {run.status === "SUCCEEDED_WITH_REJECTS" ? (
        <p class="wrong" role="alert">
          Less than half of the rows were accepted: {count(counts.accepted)} of {count(counts.read)}.
        </p>
      ) : null}
      {run.question ? (
        <>
          <ul>
            {run.question.examples.map((example) => (
              <li key={example}>{example}</li>
            ))}
          </ul>
          {again ? (
            <div class="answers">
              <button type="button" onClick={() => again("as-known")}>
                They are the same customers
              </button>
              <button type="button" onClick={() => again("as-written")}>
                They are new customers
              </button>
            </div>
          ) : (
            <p>Choose the file again above, and say there whether they are the same customers.</p>
          )}
        </>
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
        {counts.unreadable ? <Count name="unreadable" value={counts.unreadable} warn /> : null}
        <Count name="kept for training" value={counts.snapshots} />
      </dl>
      <p class="quiet">
        Features as of {wholeDay(run.features_as_of)}, outcomes as of {wholeDay(run.outcomes_as_of)}.
      </p>
      {run.outcomes ? <p>Outcomes: {run.outcomes}.</p> : null}
      {importSentences(counts).map((sentence) => (
        <p key={sentence}>{sentence}</p>
      ))}
      {run.notes.map((note) => (
        <p key={note} class="quiet">
          {note}
        </p>
      ))}
      <Unread run={run} />
      <Rejects run={run} />
    </div>
  );
}

function progress(run: Import): string {
  if (run.status === "WAITING") return "waiting for the upload";
  if (run.status === "SUCCEEDED") return "done";
  if (run.status === "SUCCEEDED_WITH_REJECTS") return "done, most rows rejected";
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
  return (
    <>
      <Table
        caption={counted(run.counts.rejected, "rejected row")}
        captioned
        narrow="scroll"
        columns={[
          { title: "Rows", number: true, cell: ({ rows }) => count(rows) },
          { title: "Reason", cell: kindInWords },
          { title: "First line", number: true, cell: ({ line }) => line },
        ]}
        rows={run.rejects.slice(0, SHOWN_KINDS)}
        keyOf={kindInWords}
      />
      <Download url={run.rejects_url}>Download the rejected rows to correct them</Download>
    </>
  );
}

function Unread({ run }: { run: Import }) {
  if (!run.unread?.length) return null;
  return (
    <>
      <Table
        caption="Cells that could not be read"
        captioned
        narrow="scroll"
        columns={[
          { title: "Rows", number: true, cell: ({ rows }) => count(rows) },
          { title: "Reason", cell: kindInWords },
          { title: "Schema", unseen: true, cell: (cell) => <LearnLevel {...cell} /> },
        ]}
        rows={run.unread.slice(0, SHOWN_KINDS)}
        keyOf={kindInWords}
      />
      <Download url={run.unread_url}>Download these rows to correct them</Download>
    </>
  );
}

function Download({ url, children }: { url: string | null | undefined; children: string }) {
  return url ? (
    <a class="button" href={url} target="_blank" rel="noreferrer">
      {children}
    </a>
  ) : null;
}
