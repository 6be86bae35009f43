import { money, percent, points } from "../formats";
import "../styles/customer-table.css";
import type { AtRisk } from "./call-list";
import { Level, Probability } from "./level";
import { Reasons } from "./reasons";
import { type FeatureSchema, groupColumn } from "./schema";

export interface Selection {
  has: (id: string) => boolean;
  set: (customers: AtRisk[], selected: boolean) => void;
}

interface CustomerTableProps {
  caption: string;
  schema: FeatureSchema;
  customers: AtRisk[];
  selection?: Selection;
}

/** Customers with how probable leaving is, what it costs, why, and what to do; as cards where there is little room. */
export function CustomerTable({ caption, schema, customers, selection }: CustomerTableProps) {
  const group = groupColumn(schema);
  return (
    <div class="customers-room">
      <table class="customers">
        <caption>{caption}</caption>
        <thead>
          <tr>
            {selection ? (
              <th scope="col">
                <SelectAll customers={customers} selection={selection} />
              </th>
            ) : null}
            <th scope="col">{schema.id.label}</th>
            <th scope="col">Leaves within {schema.horizon_days} days</th>
            <th scope="col" class="number">
              Change
            </th>
            {schema.money ? (
              <th scope="col" class="number">
                At risk
              </th>
            ) : null}
            <th scope="col">Why</th>
            <th scope="col">What to do</th>
          </tr>
        </thead>
        <tbody>
          {customers.map((customer) => (
            <tr key={customer.customer_id} class={selection?.has(customer.customer_id) ? "selected" : undefined}>
              {selection ? (
                <td class="select">
                  <input
                    type="checkbox"
                    aria-label={`Select ${customer.customer_id}`}
                    checked={selection.has(customer.customer_id)}
                    onChange={(event) => selection.set([customer], event.currentTarget.checked)}
                  />
                </td>
              ) : null}
              <th scope="row" class="customer">
                <a href={`/customers/${encodeURIComponent(customer.customer_id)}`}>{customer.customer_id}</a>
                {group ? <small>{customer.group}</small> : null}
              </th>
              <td class="risk">
                <Probability value={customer.probability} level={customer.level} />
                <small>
                  <Level level={customer.level} />
                </small>
              </td>
              <td class="number change" data-label="Change">
                <Change change={customer.change} />
              </td>
              {schema.money ? (
                <td class="number worth" data-label="At risk">
                  <b>{money(customer.value_at_risk, schema.money.currency, 2)}</b>
                  <small>{money(customer.price, schema.money.currency, 2)} a month</small>
                </td>
              ) : null}
              <td class="why">
                <Reasons reasons={customer.reasons} />
              </td>
              <td class="action">
                <Action customer={customer} currency={schema.money?.currency} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function SelectAll({ customers, selection }: { customers: AtRisk[]; selection: Selection }) {
  const chosen = customers.filter(({ customer_id }) => selection.has(customer_id)).length;
  return (
    <input
      type="checkbox"
      aria-label="Select all on this page"
      checked={chosen > 0 && chosen === customers.length}
      indeterminate={chosen > 0 && chosen < customers.length}
      onChange={(event) => selection.set(customers, event.currentTarget.checked)}
    />
  );
}

/** The change of a probability since the last run, in points. */
export function Change({ change }: { change: number | null | undefined }) {
  if (change === null || change === undefined) return <span title="The first prediction">new</span>;
  if (Math.abs(change) < 0.0005) return <span title="No change since the last run">{points(0)}</span>;
  return (
    <b
      class={change > 0 ? "raises" : "lowers"}
      title={`${percent(Math.abs(change))} ${change > 0 ? "higher" : "lower"} than in the last run`}
    >
      {points(100 * change)}
    </b>
  );
}

function Action({ customer: { action }, currency }: { customer: AtRisk; currency: string | undefined }) {
  if (!action) return <span class="quiet">Nothing that pays</span>;
  return (
    <>
      {action.title}
      {currency ? (
        <small>
          worth <b>{money(action.expected_value, currency, 2)}</b>, costs {money(action.cost, currency, 2)}
        </small>
      ) : null}
    </>
  );
}
