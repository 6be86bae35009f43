import { useState } from "preact/hooks";
import { useAction } from "../loading";
import { Card } from "../parts/card";
import { Field } from "../parts/fields";
import { ROW, withRowNumbers } from "../parts/numbered-rows";
import { type Corrections, type Draft, draftAsked, NOTHING_CORRECTED } from "../parts/own-data";
import { OwnDataDraft } from "../parts/own-data-draft";
import { OwnDataImport } from "../parts/own-data-import";
import { OwnDataSchema } from "../parts/own-data-schema";
import { Empty, Failure, Waiting } from "../parts/states";
import { Training } from "../parts/training";
import { api, may } from "../session";
import "../styles/data.css";

/** From a file to a running model: the file, its columns and outcomes, the schema, the import, the training. */
export default function OwnData() {
  if (!may("admin"))
    return (
      <Empty title="Only administrators can set up their own data">Ask an administrator for the admin role.</Empty>
    );
  return <Steps />;
}

function Steps() {
  const [file, setFile] = useState<File | null>(null);
  const [corrections, setCorrections] = useState<Corrections>(NOTHING_CORRECTED);
  const [draft, setDraft] = useState<Draft | null>(null);
  const [horizon, setHorizon] = useState<number | null>(null);
  const [imported, setImported] = useState(false);
  const read = useAction(async (chosen: File, wanted: Corrections) => {
    const { data } = await api.draftSchema(chosen, wanted.label ? draftAsked(wanted) : {});
    setDraft(data);
    if (wanted.label || !data.likely_labels[0]) return;
    await correct(chosen, { ...wanted, label: data.likely_labels[0], id: data.likely_ids[0] ?? "" });
  });
  const correct = async (chosen: File, wanted: Corrections) => {
    setCorrections(wanted);
    await read.run(chosen, wanted);
  };
  const choose = async (chosen: File | undefined) => {
    setFile(chosen ?? null);
    setDraft(null);
    setHorizon(null);
    setImported(false);
    if (chosen) await correct(chosen, NOTHING_CORRECTED);
  };
  const number = async (chosen: File) => {
    const numbered = await withRowNumbers(chosen);
    setFile(numbered);
    await correct(numbered, { ...corrections, id: ROW });
  };
  return (
    <>
      <div class="heading">
        <h1>Your own data</h1>
        <a class="button" href="/data">
          Back to Data
        </a>
      </div>
      <Card
        title="1. Your file"
        note="A CSV or Excel file with a row for each customer, and a column that says who left. Nothing is stored in this step"
        wide
      >
        <div class="stack">
          <Field label="File" hint="Of a large file, the first part is read here; the import reads all of it">
            {(attributes) => (
              <input
                {...attributes}
                type="file"
                accept=".csv,.gz,.xlsx,text/csv,application/gzip"
                onChange={(event) => void choose(event.currentTarget.files?.[0])}
              />
            )}
          </Field>
          {read.busy ? <Waiting what="Reading the file" /> : null}
          {read.error ? <Failure error={read.error} /> : null}
        </div>
      </Card>
      {file && draft ? (
        <OwnDataDraft
          draft={draft}
          corrections={corrections}
          busy={read.busy}
          correct={(wanted) => void correct(file, wanted)}
        />
      ) : null}
      {file && draft?.feature_schema ? (
        <OwnDataSchema
          key={file.name}
          schema={draft.feature_schema}
          title={corrections.title}
          rename={(title) => void correct(file, { ...corrections, title })}
          busy={read.busy}
          file={file}
          number={() => void number(file)}
          activated={setHorizon}
        />
      ) : null}
      {file && horizon ? <OwnDataImport file={file} horizon={horizon} done={() => setImported(true)} /> : null}
      {imported ? (
        <>
          <Training finished={() => undefined} />
          <p>
            When the model is in service, all customers are scored. See the <a href="/">overview</a> and the{" "}
            <a href="/at-risk">customers at risk</a>.
          </p>
        </>
      ) : null}
    </>
  );
}
