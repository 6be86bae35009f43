import { useState } from "preact/hooks";
import { counted } from "../formats";
import { useAction } from "../loading";
import { api } from "../session";
import { Card } from "./card";
import { Field, Radios, TextField } from "./fields";
import { ImportPreview } from "./import-preview";
import { type Days, daysAsked, daysInWords, firstDays, type Kind } from "./moments";
import { Failure } from "./states";

const KINDS: readonly (readonly [Kind, string])[] = [
  ["now", "Customers as they are today"],
  ["table", "A training table: features of one day, outcomes of the horizon after it"],
  ["days", "Other days"],
];

export type Ids = "as-known" | "as-written";
const IDS: readonly (readonly [Ids | "ask", string])[] = [
  ["as-known", "They are the same customers"],
  ["as-written", "They are new customers"],
  ["ask", "Ask again"],
];

interface ImportFormProps {
  /** The horizon of the feature schema, in days. */
  horizon: number;
  /** Whether an import has asked about ids that are known in another spelling. */
  asked: boolean;
  /** `again` imports the same file once more, with an answer to the question about ids. */
  started: (id: string, again: (ids: Ids) => void) => void;
}

/** Chooses a file and the days that it describes, and uploads it. */
export function ImportForm({ horizon, asked, started }: ImportFormProps) {
  const today = new Date().toISOString().slice(0, 10);
  const [file, setFile] = useState<File | null>(null);
  const [days, setDays] = useState<Days>(() => firstDays(today, horizon));
  const [previewed, setPreviewed] = useState<File | null>(null);
  const [sent, setSent] = useState(0);
  const [ids, setIds] = useState<Ids | "ask">("ask");
  const upload = useAction(async (chosen: File, options: ReturnType<typeof daysAsked>, answer?: Ids) => {
    setSent(0);
    const { data } = await api.importCustomers(chosen, { ...options, ids: answer, onProgress: setSent });
    started(data.import_id, (other) => void upload.run(chosen, options, other));
    setFile(null);
  });
  const submit = (event: Event) => {
    event.preventDefault();
    if (file) void upload.run(file, daysAsked(days, horizon), asked && ids !== "ask" ? ids : undefined);
  };
  return (
    <Card
      title="Import customers"
      note="A CSV or Excel file, plain or gzip, up to 5 GB; its first line has the column names"
      wide={file !== null}
    >
      <form class="stack" onSubmit={submit}>
        <Field label="File">
          {(attributes) => (
            <input
              {...attributes}
              key={file ? "chosen" : "none"}
              type="file"
              accept=".csv,.gz,.xlsx,text/csv,application/gzip"
              onChange={(event) => setFile(event.currentTarget.files?.[0] ?? null)}
            />
          )}
        </Field>
        {file ? (
          <>
            <p class="quiet">
              {file.name}, {counted(file.size, "byte")}
            </p>
            <ImportPreview key={`${file.name} ${file.lastModified}`} file={file} ended={() => setPreviewed(file)} />
          </>
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
        {asked ? (
          <Radios label="Customers known by ids in another spelling" value={ids} options={IDS} choose={setIds} />
        ) : null}
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
        <button type="submit" class="primary" disabled={!file || file !== previewed || upload.busy}>
          {upload.busy ? "Uploading…" : "Import"}
        </button>
      </form>
    </Card>
  );
}
