import { useEffect, useRef, useState } from "preact/hooks";
import { download, saveCsv } from "../csv";
import { count, counted, percent } from "../formats";
import { useAction } from "../loading";
import { api } from "../session";
import { type AtRisk, callList } from "./call-list";
import { type FileFormat, FORMATS, rememberFormat } from "./file-format";
import type { FeatureSchema } from "./schema";
import { Failure } from "./states";
import { tell } from "./toasts";

interface RiskExportProps {
  schema: FeatureSchema;
  selected: AtRisk[];
  format: FileFormat;
  clear: () => void;
}

/** Exports the selected customers as a call list, which the browser writes. */
export function CallList({ schema, selected, format, clear }: RiskExportProps) {
  const save = () => {
    saveCsv(`call-list-${new Date().toISOString().slice(0, 10)}.csv`, callList(schema, selected, format));
    tell(`Call list exported: ${counted(selected.length, "customer")}.`);
  };
  return (
    <div class="call-list" data-chosen={selected.length > 0}>
      <span role="status">
        {selected.length
          ? `${count(selected.length)} selected`
          : "Select customers to build a call list. The selection is kept across pages and filters."}
      </span>
      <span class="ways">
        {selected.length ? (
          <button type="button" class="plain" onClick={clear}>
            Clear
          </button>
        ) : null}
        <button type="button" class="primary" disabled={!selected.length} onClick={save}>
          Export call list (CSV)
        </button>
      </span>
    </div>
  );
}

interface FormatChoiceProps {
  chosen: string;
  choose: (name: string) => void;
}

/** The choice of how files are written, which this browser remembers. */
export function FormatChoice({ chosen, choose }: FormatChoiceProps) {
  return (
    <label class="file-format">
      <span>File format</span>
      <select
        value={chosen}
        onChange={({ currentTarget }) => {
          rememberFormat(currentTarget.value);
          choose(currentTarget.value);
        }}
      >
        {FORMATS.map(({ name, words }) => (
          <option key={name} value={name}>
            {words}
          </option>
        ))}
      </select>
    </label>
  );
}

interface AllExportProps {
  label: string;
  filters: { plan?: string; min_probability?: number };
  format: FileFormat;
}

/** Exports all predictions that match the filters, in a file that the API writes. */
export function AllExport({ label, filters, format }: AllExportProps) {
  const [done, setDone] = useState<number | null>(null);
  const closing = useRef(new AbortController());
  useEffect(() => () => closing.current.abort(), []);
  const all = useAction(async () => {
    setDone(null);
    const { data } = await api.exportPredictions(
      { ...filters, ...format },
      {
        signal: closing.current.signal,
        onProgress: ({ examined, predictions }) => setDone(predictions ? Math.min(examined / predictions, 1) : 0),
      },
    );
    download(data.url);
    tell(`Downloading ${counted(data.rows, "prediction")}.`);
  });
  return (
    <div>
      <button type="button" disabled={all.busy} onClick={() => void all.run()}>
        {all.busy ? `Preparing the file…${done === null ? "" : ` ${percent(done, 0)}`}` : label}
      </button>
      {all.error ? <Failure error={all.error} retry={() => void all.run()} /> : null}
    </div>
  );
}
