import type { Schemas } from "../../../client/api-client.js";
import { type Cell, csvOf } from "../csv";
import type { FileFormat } from "./file-format";
import { type FeatureSchema, groupColumn } from "./schema";

export type AtRisk = Schemas["AtRiskView"];

const REASONS = 3;

/** The selected customers as a CSV file for a call list, with the headers of the file of all predictions and a fact in each column. */
export function callList(schema: FeatureSchema, customers: AtRisk[], format: FileFormat): string {
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
  columns.push(["Action", ({ action }) => action?.title]);
  if (currency)
    columns.push(
      [`Action cost (${currency})`, ({ action }) => action?.cost],
      [`Expected value (${currency})`, ({ action }) => action?.expected_value],
    );
  for (let place = 0; place < REASONS; place++)
    columns.push([`Reason ${place + 1}`, ({ reasons }) => reasons[place]?.text]);
  return csvOf(
    columns.map(([title]) => title),
    customers.map((customer) => columns.map(([, cell]) => cell(customer))),
    format.separator,
    format.decimal,
  );
}
