import type { Schemas } from "../../../client/api-client.js";
import { type Cell, csvOf } from "../csv";
import { type FeatureSchema, groupColumn } from "./schema";

export type AtRisk = Schemas["AtRiskView"];

/** The selected customers as a CSV file for a call list. */
export function callList(schema: FeatureSchema, customers: AtRisk[]): string {
  const group = groupColumn(schema);
  const currency = schema.money?.currency;
  const columns: [string, (customer: AtRisk) => Cell][] = [[schema.id.label, ({ customer_id }) => customer_id]];
  if (group) columns.push([group.label, (customer) => customer.group]);
  columns.push(["Probability", ({ probability }) => probability], ["Level", ({ level }) => level]);
  columns.push(["Change since last run", ({ change }) => change]);
  if (currency)
    columns.push(
      [`Price a month (${currency})`, ({ price }) => price],
      [`Value at risk (${currency})`, (customer) => customer.value_at_risk],
    );
  columns.push(
    ["Reasons", ({ reasons }) => reasons.map(({ text }) => text).join("; ")],
    ["Action", ({ action }) => action?.title],
  );
  if (currency)
    columns.push(
      [`Action cost (${currency})`, ({ action }) => action?.cost],
      [`Expected value (${currency})`, ({ action }) => action?.expected_value],
    );
  return csvOf(
    columns.map(([title]) => title),
    customers.map((customer) => columns.map(([, cell]) => cell(customer))),
  );
}
