import { useEffect, useState } from "preact/hooks";
import type { Schemas } from "../../../client/api-client.js";
import { count, date, wholeDay } from "../formats";
import { useAction, useLoaded, useRepeated } from "../loading";
import { api } from "../session";
import { Card } from "./card";
import { Field, Select } from "./fields";
import { Preparation } from "./preparation";
import { deliverySentence } from "./source-sentences";
import { Failure, Show } from "./states";
import { Table } from "./table";

type Source = Schemas["SourceView"];
type Kind = Source["kind"];

/** Sources of the features: their rows and last deliveries, a new delivery, and the preparation. Hidden where the schema reads none. */
export function Sources() {
  const [turn, setTurn] = useState(0);
  const sources = useLoaded(async () => (await api.getSources()).data, [turn]);
  const shown = (sources.loading.data ?? []).filter((source) => source.expected || source.rows);
  if (sources.loading.data && !shown.length) return null;
  return (
    <Card title="Sources" note="Dated files from which features and outcomes are computed; each row counts once" wide>
      <Show of={sources}>
        {() => (
          <div class="stack">
            <List sources={shown} />
            <Delivery
              kinds={shown.filter((source) => source.expected).map((source) => source.kind)}
              ended={() => setTurn((now) => now + 1)}
            />
            <Preparation />
          </div>
        )}
      </Show>
    </Card>
  );
}

function List({ sources }: { sources: readonly Source[] }) {
  return (
    <Table
      caption="Sources"
      narrow="cards"
      columns={[
        { title: "Source", rowHeader: true, cell: (source) => source.kind },
        { title: "Rows", number: true, cell: (source) => count(source.rows) },
        { title: "First day", cell: (source) => wholeDay(source.first) },
        { title: "Last day", cell: (source) => wholeDay(source.last) },
        { title: "Last delivery", cell: (source) => source.last_delivery?.file_name ?? "none yet" },
        { title: "Delivered", cell: (source) => date(source.last_delivery?.at) },
        { title: "New rows", number: true, cell: (source) => count(source.last_delivery?.added) },
      ]}
      rows={sources}
      keyOf={(source) => source.kind}
    />
  );
}

/** Uploads a source file, and follows the latest delivery, also after a reload of the page. */
function Delivery({ kinds, ended }: { kinds: readonly Kind[]; ended: () => void }) {
  const [kind, setKind] = useState<Kind>(kinds[0] ?? "events");
  const [file, setFile] = useState<File | null>(null);
  const latest = useLoaded(async () => (await api.getDeliveries({ limit: 1 })).data[0] ?? null, []);
  const upload = useAction(async () => {
    if (!file) return;
    await api.deliverSource(file, kind);
    setFile(null);
    latest.reload();
  });
  const run = latest.loading.data;
  const active = run?.status === "RUNNING";
  useRepeated(latest.reload, 1.5, active || (run?.status === "WAITING" && !upload.busy));
  const [followed, setFollowed] = useState(false);
  useEffect(() => {
    if (followed && run && !active) ended();
    setFollowed(active);
  }, [active]);
  const submit = (event: Event) => {
    event.preventDefault();
    void upload.run();
  };
  return (
    <form class="stack" onSubmit={submit}>
      <div class="days">
        <Select label="Deliver to" value={kind} options={kinds.map((name) => [name, name])} choose={setKind} />
        <Field label="Source file">
          {(attributes) => (
            <input
              {...attributes}
              key={file ? "chosen" : "none"}
              type="file"
              accept=".csv,.gz,.parquet,text/csv,application/gzip"
              onChange={(event) => setFile(event.currentTarget.files?.[0] ?? null)}
            />
          )}
        </Field>
      </div>
      {upload.error ? <Failure error={upload.error} /> : null}
      <p>
        <button type="submit" disabled={!file || upload.busy}>
          {upload.busy ? "Uploading…" : "Deliver"}
        </button>
      </p>
      {run ? (
        <p aria-live="polite" class={run.status === "FAILED" ? "wrong" : "quiet"}>
          {deliverySentence(run)}
        </p>
      ) : null}
    </form>
  );
}
