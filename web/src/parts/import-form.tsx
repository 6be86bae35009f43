import { useState } from "preact/hooks";
import { counted } from "../formats";
import { useAction } from "../loading";
import { api } from "../session";
import { Card } from "./card";
import { Field, Radios, TextField } from "./fields";
import { type Days, daysAsked, daysInWords, firstDays, type Kind } from "./moments";
import { Failure } from "./states";

const KINDS: readonly (readonly [Kind, string])[] = [
  ["now", "Customers as they are today"],
  ["table", "A training table: features of one day, outcomes of the horizon after it"],
  ["days", "Other days"],
];

interface ImportFormProps {
  /** The horizon of the feature schema, in days. */
  horizon: number;
  started: (id: string) => void;
}

/** Chooses a file and the days that it describes, and uploads it. */
export function ImportForm({ horizon, started }: ImportFormProps) {
  const today = new Date().toISOString().slice(0, 10);
  const [file, setFile] = useState<File | null>(null);
  const [days, setDays] = useState<Days>(() => firstDays(today, horizon));
  const [sent, setSent] = useState(0);
  const upload = useAction(async () => {
    if (!file) return;
    const { data } = await api.importCustomers(file, { ...daysAsked(days, horizon), onProgress: setSent });
    started(data.import_id);
    setFile(null);
  });
  const submit = (event: Event) => {
    event.preventDefault();
    setSent(0);
    void upload.run();
  };
  return (
    <Card title="Import customers" note="A CSV file, plain or gzip, up to 5 GB; its first line has the column names">
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
            {file.name}, {counted(file.size, "byte")}
          </p>
        ) : null}
        <Radios
          label="The file has"
          value={days.kind}
          options={KINDS}
          choose={(kind) => setDays((before) => ({ ...before, kind }))}
        />
        {days.kind === "now" ? null : (
          <div class="days">
            <TextField
              label="Features as of"
              type="date"
              required
              max={today}
              value={days.featuresAsOf}
              change={(featuresAsOf) => setDays((before) => ({ ...before, featuresAsOf }))}
            />
            {days.kind === "days" ? (
              <TextField
                label="Outcomes as of"
                type="date"
                max={today}
                value={days.outcomesAsOf}
                change={(outcomesAsOf) => setDays((before) => ({ ...before, outcomesAsOf }))}
              />
            ) : null}
          </div>
        )}
        <p class="quiet" aria-live="polite">
          {daysInWords(days, horizon)}
        </p>
        {upload.busy && file ? (
          <label class="stack">
            Uploading
            <progress value={sent} max={file.size} />
          </label>
        ) : null}
        {upload.error ? <Failure error={upload.error} /> : null}
        <button type="submit" class="primary" disabled={!file || upload.busy}>
          {upload.busy ? "Uploading…" : "Import"}
        </button>
      </form>
    </Card>
  );
}
