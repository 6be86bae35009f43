import { useState } from "preact/hooks";
import type { Schemas } from "../../../client/api-client.js";
import { saveJson } from "../csv";
import { count, counted } from "../formats";
import { useAction } from "../loading";
import { api } from "../session";
import { Card } from "./card";
import { TextField } from "./fields";
import { cannotNumber } from "./numbered-rows";
import { SampleCustomers } from "./sample-customers";
import { Failure, Waiting } from "./states";

interface OwnDataSchemaProps {
  schema: Schemas["FeatureSchema"];
  title: string;
  rename: (title: string) => void;
  file: File;
  /** Numbers the rows of a file without an id. */
  number: () => void;
  busy: boolean;
  /** Called with the schema's horizon, in days, when the schema is active. */
  activated: (horizon: number) => void;
}

/** Activates the drafted schema. Sample customers are removed first: they would stay beside the own ones. */
export function OwnDataSchema({ schema, title, rename, file, number, busy, activated }: OwnDataSchemaProps) {
  const [typed, setTyped] = useState(title || schema.title);
  const [done, setDone] = useState<Schemas["SchemaChange"] | null>(null);
  const activate = useAction(async () => {
    const document = JSON.stringify(schema);
    const { data: change } = await api.checkSchema(document);
    const put = change.same
      ? change
      : (await api.changeSchema(document, { replaces: change.replaces, acceptRefused: true })).data;
    setDone(put);
    activated(schema.horizon_days);
  });
  const features = schema.columns.filter(({ feature }) => feature !== false).length;
  return (
    <Card
      title="4. The schema"
      note={`${counted(features, "column")} in the model of ${count(schema.columns.length)}. The schema before is kept`}
      wide
    >
      <div class="stack">
        <SampleCustomers />
        <TextField label="What your customers are called" value={typed} maxLength={100} change={setTyped} />
        {schema.id.numbered ? <NoId file={file} number={number} busy={busy} /> : null}
        <p>
          {typed && typed !== schema.title ? (
            <button type="button" disabled={busy} onClick={() => rename(typed)}>
              Use this name
            </button>
          ) : null}{" "}
          <button
            type="button"
            class="primary"
            disabled={busy || activate.busy || schema.id.numbered}
            onClick={() => void activate.run()}
          >
            Activate the schema
          </button>{" "}
          <button type="button" onClick={() => saveJson(`${schema.name}.json`, schema)}>
            Download it
          </button>
        </p>
        {activate.busy ? <Waiting what="Activating" /> : null}
        {activate.error ? <Failure error={activate.error} /> : null}
        {done ? (
          <p role="status">
            <b>{done.title}</b> is the active schema.
            {done.customers.refused
              ? ` ${counted(done.customers.refused, "stored customer")} of an earlier schema do not fit it and stay as they are.`
              : ""}
          </p>
        ) : null}
      </div>
    </Card>
  );
}

function NoId({ file, number, busy }: Pick<OwnDataSchemaProps, "file" | "number" | "busy">) {
  const reason = cannotNumber(file);
  return (
    <div class="failure">
      <h3>The file has no id column</h3>
      <p>
        Choose one above. Without an id, the rows can be numbered: a later file can then not be matched to these
        customers.
      </p>
      {reason ? (
        <p>{reason}</p>
      ) : (
        <p>
          <button type="button" disabled={busy} onClick={number}>
            Number the rows
          </button>
        </p>
      )}
    </div>
  );
}
