import { useEffect } from "preact/hooks";
import type { Schemas } from "../../../client/api-client.js";
import { count, counted } from "../formats";
import { useLoaded } from "../loading";
import { api } from "../session";
import { FileColumns } from "./file-columns";
import { Show } from "./states";
import { Table } from "./table";

type Preview = Schemas["ImportPreview"];

interface ImportPreviewProps {
  file: File;
  /** Called when the file was shown, or could not be. */
  ended: () => void;
}

/** A file as an import would read it, before anything is stored. */
export function ImportPreview({ file, ended }: ImportPreviewProps) {
  const preview = useLoaded(
    async () => (await api.previewImport(file)).data,
    [file.name, file.size, file.lastModified],
  );
  const { state } = preview.loading;
  useEffect(() => {
    if (state !== "loading") ended();
  }, [state]);
  return (
    <section class="stack" aria-label="Preview" aria-live="polite">
      <Show of={preview} lines={6}>
        {(data) => <Understood preview={data} />}
      </Show>
    </section>
  );
}

function Understood({ preview }: { preview: Preview }) {
  const notRead = preview.columns.filter(({ use }) => use === "not read").map(({ header }) => header);
  return (
    <>
      <p>
        <b>{counted(preview.rows, "row")}</b> of the file were read: {preview.outcomes.sentence}
        {preview.rejected ? `, ${count(preview.rejected)} would be rejected` : ""}. Nothing is stored yet.
      </p>
      {preview.rejects.length ? (
        <ul class="plain wrong">
          {preview.rejects.slice(0, 8).map(({ column, reason, rows, line }) => (
            <li key={`${column} ${reason}`}>
              {count(rows)} × {column ? `${column}: ` : ""}
              {reason} (first in line {count(line)})
            </li>
          ))}
        </ul>
      ) : null}
      {notRead.length ? <p>Not read, because the schema does not have them: {notRead.join(", ")}.</p> : null}
      {preview.absent.length ? (
        <p>Not in the file: {preview.absent.join(", ")}. What is stored of them stays as it is.</p>
      ) : null}
      {preview.notes.map((note) => (
        <p key={note} class="quiet">
          {note}
        </p>
      ))}
      <FileColumns caption="The columns as they were understood" columns={preview.columns} />
      <h3>The first rows</h3>
      <Table
        caption="The first rows as they were understood"
        narrow="scroll"
        columns={[
          { title: "Line", number: true, cell: ({ line }) => count(line) },
          ...preview.columns.map(({ header }, place) => ({
            title: header,
            cell: ({ cells }: Preview["rows_shown"][number]) => cells[place] || "–",
          })),
        ]}
        rows={preview.rows_shown}
        keyOf={({ line }) => line}
        attributesOf={({ rejected }) => ({ class: rejected ? "wrong" : undefined })}
      />
    </>
  );
}
