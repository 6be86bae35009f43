import { useState } from "preact/hooks";
import type { Schemas } from "../../../client/api-client.js";
import { count, dateTime } from "../formats";
import { useAction, useLoaded, useRepeated } from "../loading";
import { Card } from "../parts/card";
import { Field } from "../parts/fields";
import { ImportProgress } from "../parts/import-progress";
import { SchemaTable } from "../parts/schema-table";
import { Scoring } from "../parts/scoring";
import { Empty, Failure, Show } from "../parts/states";
import { api, may } from "../session";
import "../styles/data.css";

type Import = Schemas["ImportView"];

/** Customers in, with every row accounted for, and what a customer consists of. */
export default function Data() {
  const [followed, setFollowed] = useState<string | null>(null);
  return (
    <>
      <div class="heading">
        <h1>Data</h1>
      </div>
      {may("analyst") ? (
        <>
          <div class="grid">
            <Upload started={setFollowed} />
            {followed ? <Followed key={followed} id={followed} /> : <HowTo />}
          </div>
          <Scoring />
          <Recent chosen={followed} choose={setFollowed} />
        </>
      ) : (
        <Empty title="Importing is for analysts">Ask an administrator for the role if you bring customers in.</Empty>
      )}
      <SchemaTable />
    </>
  );
}

function Upload({ started }: { started: (id: string) => void }) {
  const [file, setFile] = useState<File | null>(null);
  const [asOf, setAsOf] = useState("");
  const [sent, setSent] = useState(0);
  const upload = useAction(async () => {
    if (!file) return;
    const { data } = await api.importCustomers(file, { asOf: asOf || undefined, onProgress: setSent });
    started(data.import_id);
    setFile(null);
  });
  const submit = (event: Event) => {
    event.preventDefault();
    setSent(0);
    void upload.run();
  };
  return (
    <Card title="Import customers" note="A CSV file, plain or gzip, up to 5 GB; the first line names the columns">
      <form class="stack" onSubmit={submit}>
        <Field label="File">
          {(attributes) => (
            <input
              {...attributes}
              key={file ? "chosen" : "none"}
              type="file"
              accept=".csv,.gz,text/csv,application/gzip"
              onChange={(event) => setFile(event.currentTarget.files?.[0] ?? null)}
            />
          )}
        </Field>
        {file ? (
          <p class="quiet">
            {file.name}, {count(file.size)} bytes
          </p>
        ) : null}
        <Field label="As of" hint="The day the file describes; what is known since then stays. Today when left empty.">
          {(attributes) => (
            <input
              {...attributes}
              type="date"
              max={new Date().toISOString().slice(0, 10)}
              value={asOf}
              onInput={(event) => setAsOf(event.currentTarget.value)}
            />
          )}
        </Field>
        {upload.busy && file ? (
          <label class="stack">
            Uploading
            <progress value={sent} max={file.size} />
          </label>
        ) : null}
        {upload.error ? <Failure error={upload.error} /> : null}
        <button type="submit" class="primary" disabled={!file || upload.busy}>
          {upload.busy ? "Uploading …" : "Import"}
        </button>
      </form>
    </Card>
  );
}

function HowTo() {
  return (
    <Card title="What happens to a row">
      <ul>
        <li>
          It is checked against the schema below; what does not fit is rejected with its line, its column and the
          reason.
        </li>
        <li>A customer already known is changed only where the file says something newer.</li>
        <li>The same file again changes nothing.</li>
        <li>Accepted and rejected rows always add up to the rows of the file.</li>
      </ul>
    </Card>
  );
}

function Followed({ id }: { id: string }) {
  const found = useLoaded(() => api.getImport(id), [id]);
  const status = found.loading.data?.data.status;
  useRepeated(found.reload, 1.5, status === "RUNNING" || status === "WAITING" || found.loading.state === "failed");
  return (
    <Card title="This import">
      <Show of={found}>{({ data }) => <ImportProgress found={data} />}</Show>
    </Card>
  );
}

function Recent({ chosen, choose }: { chosen: string | null; choose: (id: string) => void }) {
  const imports = useLoaded(() => api.getImports({ limit: 10 }), [chosen]);
  return (
    <Card title="Recent imports" wide>
      <Show of={imports}>
        {({ data }) =>
          data.length ? (
            <div>
              <table class="rows">
                <thead>
                  <tr>
                    <th scope="col">File</th>
                    <th scope="col">Started</th>
                    <th scope="col">By</th>
                    <th scope="col">Status</th>
                    <th scope="col" class="number">
                      Rows
                    </th>
                    <th scope="col" class="number">
                      Accepted
                    </th>
                    <th scope="col" class="number">
                      Rejected
                    </th>
                    <th scope="col">
                      <span class="unseen">Details</span>
                    </th>
                  </tr>
                </thead>
                <tbody>
                  {data.map((found: Import) => (
                    <tr key={found.import_id} aria-current={found.import_id === chosen || undefined}>
                      <th scope="row">{found.file_name}</th>
                      <td data-label="Started">{dateTime(found.started_at)}</td>
                      <td data-label="By">{found.started_by}</td>
                      <td data-label="Status">{found.status.toLowerCase()}</td>
                      <td class="number" data-label="Rows">
                        {count(found.rows)}
                      </td>
                      <td class="number" data-label="Accepted">
                        {count(found.counts.accepted)}
                      </td>
                      <td class="number" data-label="Rejected">
                        {count(found.counts.rejected)}
                      </td>
                      <td>
                        <button
                          type="button"
                          onClick={() => choose(found.import_id)}
                          aria-label={`Details of ${found.file_name}`}
                        >
                          Details
                        </button>
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          ) : (
            <Empty title="Nothing has been imported yet" />
          )
        }
      </Show>
    </Card>
  );
}
