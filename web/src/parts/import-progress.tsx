import type { Schemas } from "../../../client/api-client.js";
import { count } from "../formats";
import { Scroll } from "./card";

type Import = Schemas["ImportView"];

const STEPS: Record<string, string> = {
  survey: "Counting the rows",
  compare: "Comparing lines of the same customer",
  load: "Checking and storing the rows",
  verify: "Adding up",
};

/** How far an import is, what became of its rows, and why rows were rejected. */
export function ImportProgress({ found }: { found: Import }) {
  const { counts } = found;
  return (
    <div class="stack" aria-live="polite">
      <p>
        <b>{found.file_name}</b> · {told(found)}
      </p>
      {found.status === "RUNNING" ? (
        <progress value={found.rows ? counts.read : undefined} max={found.rows ?? undefined} aria-label="Rows read" />
      ) : null}
      {found.status === "FAILED" ? (
        <div class="failure" role="alert">
          <h3>The import failed</h3>
          <p>{found.reason}</p>
        </div>
      ) : null}
      <dl class="counts">
        <Count name="rows" value={found.rows ?? counts.read} />
        <Count name="accepted" value={counts.accepted} />
        <Count name="rejected" value={counts.rejected} warn={counts.rejected > 0} />
        <Count name="new" value={counts.created} />
        <Count name="changed" value={counts.changed} />
        <Count name="unchanged" value={counts.unchanged} />
        <Count name="older" value={counts.older} />
      </dl>
      {found.notes.map((note) => (
        <p key={note} class="quiet">
          {note}
        </p>
      ))}
      <Rejects found={found} />
    </div>
  );
}

function told(found: Import): string {
  if (found.status === "WAITING") return "waiting for the upload";
  if (found.status === "SUCCEEDED") return "done";
  if (found.status === "FAILED") return "failed";
  return `${STEPS[found.step ?? ""] ?? "Starting"} …`;
}

function Count({ name, value, warn }: { name: string; value: number; warn?: boolean }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd class={warn ? "wrong" : undefined}>{count(value)}</dd>
    </div>
  );
}

function Rejects({ found }: { found: Import }) {
  if (!found.rejects.length) return null;
  return (
    <>
      <Scroll label="Rejected rows">
        <table>
          <caption>
            The first {count(found.rejects.length)} of {count(found.counts.rejected)} rejected rows
          </caption>
          <thead>
            <tr>
              <th scope="col" class="number">
                Line
              </th>
              <th scope="col">Column</th>
              <th scope="col">Reason</th>
            </tr>
          </thead>
          <tbody>
            {found.rejects.slice(0, 20).map((reject) => (
              <tr key={`${reject.line} ${reject.column}`}>
                <td class="number">{reject.line}</td>
                <td>{reject.column || "the whole row"}</td>
                <td>{reject.reason}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
      {found.rejects_url ? (
        <a class="button" href={found.rejects_url} target="_blank" rel="noreferrer">
          Download all rejected rows
        </a>
      ) : null}
    </>
  );
}
