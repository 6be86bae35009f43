import type { Schemas } from "../../../client/api-client.js";
import { count, featureValue, money, NOTHING } from "../formats";
import { useLoaded } from "../loading";
import { api } from "../session";
import { Card } from "./card";
import { AT_A_GLANCE, levelsOf } from "./schema";
import { Show } from "./states";
import { Table } from "./table";

type Column = Schemas["Column"];
type Schema = Schemas["FeatureSchema"];

const SHOWN_LEVELS = 20;

/** The feature schema in force, in words. */
export function SchemaTable() {
  const schema = useLoaded(() => api.getSchema(), []);
  return (
    <Card
      title="Feature schema"
      note="The columns of a customer, their use in the model, and the action against each risk"
      wide
    >
      <Show of={schema} lines={6}>
        {({ data }) => (
          <>
            <p>{summary(data)}</p>
            <Table
              caption="Columns of the feature schema"
              narrow="cards"
              columns={[
                {
                  title: "Column",
                  rowHeader: true,
                  cell: (column) => (
                    <>
                      {column.label}
                      <br />
                      <code>{column.source || column.name}</code>
                    </>
                  ),
                },
                { title: "Meaning", cell: ({ meaning }) => meaning },
                { title: "Kind", cell: ({ kind }) => kind },
                { title: "Allowed", cell: allowed },
                { title: "In the model", cell: use },
                { title: "Action", cell: (column) => action(column, data) },
              ]}
              rows={data.columns}
              keyOf={({ name }) => name}
            />
          </>
        )}
      </Show>
    </Card>
  );
}

function summary(schema: Schema): string {
  const key = schema.id.numbered
    ? "Customers are numbered by row"
    : `${schema.id.source || schema.id.column} identifies a customer`;
  const outcome = `${schema.label.source || schema.label.column} marks churn within ${schema.horizon_days} days`;
  return `${schema.title}. ${key}; ${outcome}.`;
}

function allowed(column: Column): string {
  if (column.levels.length > AT_A_GLANCE)
    return `${levelsOf(column).slice(0, SHOWN_LEVELS).join(", ")} and ${count(column.levels.length - SHOWN_LEVELS)} more`;
  if (column.levels.length) return column.levels.join(", ");
  const low =
    column.min == null ? "" : `from ${column.max == null ? featureValue(column.min, column.unit) : column.min}`;
  const high = column.max == null ? "" : `to ${featureValue(column.max, column.unit)}`;
  const range = [low, high].filter(Boolean).join(" ") || ["any", column.unit].filter(Boolean).join(" ");
  return `${range}${column.missing ? ", may be missing" : ""}`;
}

function use(column: Column): string {
  if (!column.feature) return "no";
  const more = column.kind === "date" ? "more days since it" : "higher values";
  if (column.monotone === "increasing") return `yes; ${more} can only raise the risk`;
  if (column.monotone === "decreasing") return `yes; ${more} can only lower the risk`;
  return column.kind === "date" ? "yes, as days since it" : "yes";
}

function action({ action: recommended }: Column, schema: Schema): string {
  if (!recommended) return NOTHING;
  const cost = recommended.cost ?? schema.money?.offer_cost;
  return cost == null ? recommended.title : `${recommended.title} (${money(cost, schema.money?.currency)})`;
}
