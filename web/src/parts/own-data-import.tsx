import { useEffect, useState } from "preact/hooks";
import { useAction, useLoaded, useRepeated } from "../loading";
import { api } from "../session";
import { Card } from "./card";
import { TextField } from "./fields";
import type { Ids } from "./import-form";
import { ImportProgress } from "./import-progress";
import { addDays, daysInWords } from "./moments";
import { Failure, Show } from "./states";

const SECONDS_UNTIL_ACTIVE = 30;

interface OwnDataImportProps {
  file: File;
  /** The horizon of the schema, in days. */
  horizon: number;
  /** Called when the import has ended with accepted rows. */
  done: () => void;
}

/** Imports the file as a training table: features of one day, outcomes of the horizon after it. */
export function OwnDataImport({ file, horizon, done }: OwnDataImportProps) {
  const today = new Date().toISOString().slice(0, 10);
  const [featuresAsOf, setFeaturesAsOf] = useState(addDays(today, -horizon));
  const [waiting, setWaiting] = useState(SECONDS_UNTIL_ACTIVE);
  const [importId, setImportId] = useState<string | null>(null);
  useEffect(() => {
    if (!waiting) return;
    const timer = setTimeout(() => setWaiting(waiting - 1), 1000);
    return () => clearTimeout(timer);
  }, [waiting]);
  const upload = useAction(async (ids?: Ids) => {
    const outcomesAsOf = addDays(featuresAsOf, horizon);
    setImportId((await api.importCustomers(file, { featuresAsOf, outcomesAsOf, ids })).data.import_id);
  });
  return (
    <Card
      title="5. The import"
      note="All rows of the file are stored, and the rows with an outcome are kept for training"
      wide
    >
      <div class="stack">
        <TextField
          label="The day that the file describes"
          hint={daysInWords({ kind: "table", featuresAsOf, outcomesAsOf: today }, horizon)}
          type="date"
          required
          max={addDays(today, -horizon)}
          value={featuresAsOf}
          change={setFeaturesAsOf}
        />
        <p>
          <button
            type="button"
            class="primary"
            disabled={upload.busy || waiting > 0 || !featuresAsOf}
            onClick={() => void upload.run()}
          >
            {upload.busy ? "Uploading…" : `Import ${file.name}`}
          </button>{" "}
          {waiting ? <span class="quiet">All functions use the new schema in {waiting} s.</span> : null}
        </p>
        {upload.error ? <Failure error={upload.error} /> : null}
        {importId ? <Followed key={importId} id={importId} done={done} again={(ids) => void upload.run(ids)} /> : null}
      </div>
    </Card>
  );
}

interface FollowedProps {
  id: string;
  done: () => void;
  again: (ids: Ids) => void;
}

function Followed({ id, done, again }: FollowedProps) {
  const run = useLoaded(() => api.getImport(id), [id]);
  const data = run.loading.data?.data;
  useRepeated(run.reload, 1.5, !data || data.status === "RUNNING" || data.status === "WAITING");
  useEffect(() => {
    if (data?.status.startsWith("SUCCEEDED") && data.counts.accepted) done();
  }, [data?.status]);
  return <Show of={run}>{({ data }) => <ImportProgress run={data} again={again} />}</Show>;
}
