import { addressOf } from "../../../client/api-client.js";
import { money, pointSize, signed } from "../formats";
import "../styles/customer-table.css";
import type { AtRisk } from "./call-list";
import { Level, Probability } from "./level";
import { Reasons } from "./reasons";
import type { Order } from "./risk-filters";
import { type FeatureSchema, groupColumn } from "./schema";
import { Table, type TableColumn } from "./table";

export interface Selection {
  has: (id: string) => boolean;
  set: (customers: AtRisk[], selected: boolean) => void;
}

interface CustomerTableProps {
  caption: string;
  schema: FeatureSchema;
  customers: AtRisk[];
  sort: Order;
  selection?: Selection;
}

/** Customers with churn probability, value at risk, reasons and recommended action. */
export function CustomerTable({ caption, schema, customers, sort, selection }: CustomerTableProps) {
  return (
    <Table
      caption={caption}
      class="customers"
      narrow="cards"
      columns={columnsOf(schema, customers, sort, selection)}
      rows={customers}
      keyOf={({ customer_id }) => customer_id}
      attributesOf={({ customer_id }) => ({ class: selection?.has(customer_id) ? "selected" : undefined })}
    />
  );
}

function columnsOf(
  schema: FeatureSchema,
  customers: AtRisk[],
  sort: Order,
  selection: Selection | undefined,
): TableColumn<AtRisk>[] {
  const group = groupColumn(schema);
  const currency = schema.money?.currency;
  const columns: TableColumn<AtRisk>[] = [
    {
      title: schema.id.label,
      rowHeader: true,
      class: "customer",
      cell: (customer) => (
        <>
          <a href={`/customers/${addressOf(customer.customer_id)}`}>{customer.customer_id}</a>
          {group ? <small>{customer.group}</small> : null}
        </>
      ),
    },
    {
      title: `Churn within ${schema.horizon_days} days`,
      class: "risk",
      sort: sort === "probability" ? "descending" : undefined,
      cell: ({ probability, level }) => (
        <>
          <Probability value={probability} level={level} />
          <small>
            <Level level={level} />
          </small>
        </>
      ),
    },
    { title: "Change", number: true, class: "change", cell: ({ change }) => <Change change={change} /> },
    { title: "Reasons", class: "why", cell: ({ reasons }) => <Reasons reasons={reasons} /> },
    {
      title: "Recommended action",
      class: "action",
      cell: ({ action }) => <Action action={action} currency={currency} />,
    },
  ];
  if (currency)
    columns.splice(3, 0, {
      title: "Value at risk",
      number: true,
      class: "worth",
      sort: sort === "value" ? "descending" : undefined,
      cell: ({ value_at_risk: value, price }) => (
        <>
          <b>{money(value, currency, 2)}</b>
          <small>{money(price, currency, 2)} a month</small>
        </>
      ),
    });
  if (selection)
    columns.unshift({
      title: "Select",
      header: <SelectAll customers={customers} selection={selection} />,
      class: "select",
      cell: (customer) => (
        <input
          type="checkbox"
          aria-label={`Select ${customer.customer_id}`}
          checked={selection.has(customer.customer_id)}
          onChange={(event) => selection.set([customer], event.currentTarget.checked)}
        />
      ),
    });
  return columns;
}

function SelectAll({ customers, selection }: { customers: AtRisk[]; selection: Selection }) {
  const selected = customers.filter(({ customer_id }) => selection.has(customer_id)).length;
  return (
    <input
      type="checkbox"
      aria-label="Select all on this page"
      checked={selected > 0 && selected === customers.length}
      indeterminate={selected > 0 && selected < customers.length}
      onChange={(event) => selection.set(customers, event.currentTarget.checked)}
    />
  );
}

/** The change of a probability since the last run, in points. */
export function Change({ change }: { change: number | null | undefined }) {
  if (change === null || change === undefined) return <span title="The first prediction">new</span>;
  if (Math.abs(change) < 0.0005) return <span title="No change since the last run">{signed(0)}</span>;
  return (
    <b
      class={change > 0 ? "raises" : "lowers"}
      title={`${pointSize(100 * change)} ${change > 0 ? "higher" : "lower"} than in the last run`}
    >
      {signed(100 * change)}
    </b>
  );
}

function Action({ action, currency }: { action: AtRisk["action"]; currency: string | undefined }) {
  if (!action) return <span class="quiet">No action pays off</span>;
  return (
    <>
      {action.title}
      {currency ? (
        <small>
          value <b>{money(action.expected_value, currency, 2)}</b>, cost {money(action.cost, currency, 2)}
        </small>
      ) : null}
    </>
  );
}
