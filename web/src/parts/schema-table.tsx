import type { Schemas } from "../../../client/api-client.js";
import { money } from "../formats";
import { useLoaded } from "../loading";
import { api } from "../session";
import { Card } from "./card";
import { Show } from "./states";

type Column = Schemas["Column"];
type Schema = Schemas["FeatureSchema"];

/** The feature schema in force, as people read it. */
export function SchemaTable() {
  const schema = useLoaded(() => api.getSchema(), []);
  return (
    <Card
      title="Feature schema"
      note="What a row holds, what the model may use, and what can be done about a risk"
      wide
    >
      <Show of={schema} lines={6}>
        {({ data }) => (
          <>
            <p>{summary(data)}</p>
            <div>
              <table class="rows">
                <thead>
                  <tr>
                    <th scope="col">Column</th>
                    <th scope="col">Meaning</th>
                    <th scope="col">Kind</th>
                    <th scope="col">Allowed</th>
                    <th scope="col">In the model</th>
                    <th scope="col">Action</th>
                  </tr>
                </thead>
                <tbody>
                  {data.columns.map((column) => (
                    <tr key={column.name}>
                      <th scope="row">
                        {column.label}
                        <br />
                        <code>{column.source || column.name}</code>
                      </th>
                      <td>{column.meaning}</td>
                      <td data-label="Kind">{column.kind}</td>
                      <td data-label="Allowed">{allowed(column)}</td>
                      <td data-label="In the model">{used(column)}</td>
                      <td data-label="Action">{column.action ? action(column.action, data) : "–"}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          </>
        )}
      </Show>
    </Card>
  );
}

function summary(schema: Schema): string {
  const key = schema.id.numbered
    ? "Customers are numbered by row"
    : `Customers are told apart by ${schema.id.source || schema.id.column}`;
  const outcome = `${schema.label.source || schema.label.column} says who left within ${schema.horizon_days} days`;
  return `${schema.title}. ${key}; ${outcome}.`;
}

function allowed(column: Column): string {
  if (column.levels.length) return column.levels.join(", ");
  const low = column.min == null ? "" : `from ${column.min}`;
  const high = column.max == null ? "" : `to ${column.max}`;
  const range = [low, high].filter(Boolean).join(" ") || "any";
  return `${range}${column.unit ? ` ${column.unit}` : ""}${column.missing ? ", may be missing" : ""}`;
}

function used(column: Column): string {
  if (!column.feature) return "no";
  if (column.monotone === "increasing") return "yes; more may only raise the risk";
  if (column.monotone === "decreasing") return "yes; more may only lower the risk";
  return "yes";
}

function action(taken: NonNullable<Column["action"]>, schema: Schema): string {
  const cost = taken.cost ?? schema.money?.offer_cost;
  return cost == null ? taken.title : `${taken.title} (${money(cost, schema.money?.currency)})`;
}
