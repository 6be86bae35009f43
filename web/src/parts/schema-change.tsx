import { useState } from "preact/hooks";
import type { Schemas } from "../../../client/api-client.js";
import { saveJson } from "../csv";
import { count, counted, dateTime } from "../formats";
import { useAction, useLoaded } from "../loading";
import { api } from "../session";
import { Card } from "./card";
import { Confirm } from "./dialog";
import { Field } from "./fields";
import { Failure, Show, Waiting } from "./states";
import { Table } from "./table";

type Change = Schemas["SchemaChange"];

/** Compares a schema file with the active schema and the customers, and activates it. For administrators. */
export function SchemaChange({ changed }: { changed: () => void }) {
  const [document, setDocument] = useState<string | null>(null);
  const [change, setChange] = useState<Change | null>(null);
  const [confirming, setConfirming] = useState(false);
  const [turn, setTurn] = useState(0);
  const compare = useAction(async (text: string) => setChange((await api.checkSchema(text)).data));
  const activate = useAction(async () => {
    if (!document || !change) return;
    const { data } = await api.changeSchema(document, {
      replaces: change.replaces,
      acceptRefused: change.customers.refused > 0,
    });
    setChange(data);
    setConfirming(false);
    setTurn((now) => now + 1);
    changed();
  });
  const choose = async (file: File | undefined) => {
    setChange(null);
    compare.clear();
    activate.clear();
    const text = file ? await file.text() : null;
    setDocument(text);
    if (text !== null) await compare.run(text);
  };
  return (
    <Card title="Change the schema" note="It is compared first. Nothing changes before you confirm" wide>
      <div class="stack">
        <Field label="Schema to activate" hint="YAML or JSON">
          {(attributes) => (
            <input
              {...attributes}
              type="file"
              accept=".yaml,.yml,.json,application/json,application/yaml"
              disabled={compare.busy || activate.busy}
              onChange={(event) => void choose(event.currentTarget.files?.[0])}
            />
          )}
        </Field>
        {compare.busy ? <Waiting what="Comparing with the customers" /> : null}
        {compare.error ? <Failure error={compare.error} /> : null}
        {change && !compare.busy ? <Comparison change={change} /> : null}
        {change && !change.active && document ? (
          <p>
            <button type="button" class="primary" disabled={compare.busy} onClick={() => setConfirming(true)}>
              Activate
            </button>{" "}
            <button type="button" disabled={compare.busy} onClick={() => void compare.run(document)}>
              Compare again
            </button>
          </p>
        ) : null}
        <Earlier turn={turn} />
      </div>
      {confirming && change ? (
        <Confirm
          title={`Activate ${change.title}?`}
          action={change.customers.refused ? "Activate nevertheless" : "Activate"}
          busy={activate.busy}
          confirm={() => void activate.run()}
          close={() => {
            setConfirming(false);
            activate.clear();
          }}
        >
          <p>{fitting(change)}</p>
          <p>The schema before is kept. All functions use the new one within 30 seconds.</p>
          {activate.error ? <Failure error={activate.error} /> : null}
        </Confirm>
      ) : null}
    </Card>
  );
}

function Comparison({ change }: { change: Change }) {
  if (change.same) return <p role="status">{change.title} is the active schema already. Nothing was changed.</p>;
  return (
    <div class="stack" aria-live="polite">
      <p>
        <b>{change.title}</b>
        {change.active ? " is the active schema." : ` has ${counted(change.changes.length, "difference")}.`}
      </p>
      {change.active ? (
        <>
          <h3>Next steps</h3>
          <ol>
            {change.next_steps.map((step) => (
              <li key={step}>{step}</li>
            ))}
          </ol>
        </>
      ) : null}
      {change.changes.length ? (
        <Table
          caption="Differences from the active schema"
          narrow="cards"
          columns={[
            { title: "Column", rowHeader: true, cell: (part) => part.label },
            { title: "Change", cell: (part) => part.kind },
            { title: "Difference", cell: (part) => part.text },
          ]}
          rows={change.changes}
          keyOf={(part) => part.column}
        />
      ) : null}
      <p>{fitting(change)}</p>
      {change.customers.misfits.length ? (
        <ul>
          {change.customers.misfits.map(({ text }) => (
            <li key={text}>{text}</li>
          ))}
        </ul>
      ) : null}
      {change.model ? <p class="quiet">{change.model.text}</p> : null}
    </div>
  );
}

/** As in "12 of 1,500 checked customers do not fit." */
function fitting({ customers: { checked, complete, refused } }: Change): string {
  if (!checked) return "There are no customers to check.";
  const sample = complete ? "" : " (a sample, there are more)";
  if (refused) return `${count(refused)} of ${counted(checked, "checked customer")}${sample} do not fit.`;
  return `${counted(checked, "customer")} checked${sample}: all fit.`;
}

function Earlier({ turn }: { turn: number }) {
  const earlier = useLoaded(() => api.getEarlierSchemas(), [turn]);
  const save = useAction(async (id: string) => saveJson(`${id}.json`, (await api.getEarlierSchema(id)).data));
  return (
    <Show of={earlier} lines={2}>
      {({ data }) =>
        data.length ? (
          <>
            <h3>Earlier schemas</h3>
            <p class="quiet">To go back to one, download it and choose the file above.</p>
            <Table
              caption="Earlier schemas"
              narrow="cards"
              columns={[
                { title: "Name", rowHeader: true, cell: (kept) => kept.name },
                {
                  title: "Active since",
                  cell: (kept) => (kept.active_since ? dateTime(kept.active_since) : "the first deployment"),
                },
                {
                  title: "Download",
                  unseen: true,
                  cell: (kept) => (
                    <button
                      type="button"
                      disabled={save.busy}
                      onClick={() => void save.run(kept.id)}
                      aria-label={`Download ${kept.id}`}
                    >
                      Download
                    </button>
                  ),
                },
              ]}
              rows={data}
              keyOf={(kept) => kept.id}
            />
            {save.error ? <Failure error={save.error} /> : null}
          </>
        ) : null
      }
    </Show>
  );
}
