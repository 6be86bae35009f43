import { useRef, useState } from "preact/hooks";
import { useLocation } from "preact-iso";
import type { Schemas } from "../../../client/api-client.js";
import { count, counted, money, rowRange } from "../formats";
import { useLoaded } from "../loading";
import type { AtRisk } from "../parts/call-list";
import { Card, Synthetic } from "../parts/card";
import { CustomerTable, type Selection } from "../parts/customer-table";
import { formatOf, rememberedFormat } from "../parts/file-format";
import { Level } from "../parts/level";
import { LevelBar } from "../parts/level-bar";
import { OpenCustomer } from "../parts/open-customer";
import { Pager } from "../parts/pager";
import { AllExport, CallList, FormatChoice } from "../parts/risk-export";
import { RiskFilterBar } from "../parts/risk-filter-bar";
import {
  addressOf,
  type Bounds,
  type Floor,
  filtersOf,
  leastProbability,
  type RiskFilters,
} from "../parts/risk-filters";
import { type FeatureSchema, groupColumn } from "../parts/schema";
import { Empty, Show } from "../parts/states";
import { useModel } from "../parts/use-model";
import { useSchema } from "../parts/use-schema";
import { api, may } from "../session";
import "../styles/at-risk.css";

const ROWS = 20;

/** The customers at risk: filters, call list and exports. */
export default function AtRiskPage() {
  const schema = useSchema();
  const model = useModel();
  return (
    <>
      <div class="heading">
        <div>
          <h1>
            At risk <Synthetic when={model.loading.data?.synthetic} />
          </h1>
          <p class="quiet">Customers who may leave, with reasons and recommended actions</p>
        </div>
        <OpenCustomer label={schema.loading.data?.id.label ?? "Customer"} />
      </div>
      <Show of={schema} lines={10}>
        {(columns) => (
          <>
            <Show of={model} lines={10}>
              {(served) => (
                <>
                  <Total schema={columns} meanings={served?.level_meanings ?? null} />
                  <List schema={columns} bounds={served?.levels ?? null} />
                </>
              )}
            </Show>
          </>
        )}
      </Show>
    </>
  );
}

type Meanings = Schemas["VersionView"]["level_meanings"];

/** The number of customers at high risk or above, and what the levels mean, without filters. */
function Total({ schema, meanings }: { schema: FeatureSchema; meanings: Meanings | null }) {
  const total = useLoaded(() => api.segmentCustomers({ levels: ["medium", "high", "critical"], limit: 1 }), []);
  if (total.loading.state === "failed") return null;
  return (
    <Show of={total} lines={2}>
      {({ data }) => (
        <section class="at-risk-total" aria-label="All customers at risk">
          <p>
            <b>{count(called(data.levels))}</b> of {counted(data.of, "customer")} at high risk or above
            {schema.money ? (
              <>
                {" "}
                · <b>{money(data.value_at_risk, data.currency, 0)}</b> value at risk from medium up, over{" "}
                {schema.money.months} months
              </>
            ) : null}
          </p>
          {data.count ? <LevelBar levels={data.levels} /> : null}
          {meanings ? (
            <dl class="level-meanings">
              {FLOORS.map((level) => (
                <div key={level}>
                  <dt>
                    <Level level={level} />
                  </dt>
                  <dd class="quiet">{meanings[level]}</dd>
                </div>
              ))}
            </dl>
          ) : null}
        </section>
      )}
    </Show>
  );
}

const FLOORS: Floor[] = ["critical", "high", "medium"];

function called(levels: Schemas["LevelView"][]): number {
  return levels.reduce((sum, { level, customers }) => (level === "medium" ? sum : sum + customers), 0);
}

function List({ schema, bounds }: { schema: FeatureSchema; bounds: Bounds | null }) {
  const { query, route } = useLocation();
  const filters = filtersOf(query);
  const [selected, setSelected] = useState<ReadonlyMap<string, AtRisk>>(new Map());
  const [chosen, setChosen] = useState(() => rememberedFormat());
  const format = formatOf(chosen);
  const request = {
    plan: filters.group || undefined,
    min_probability: leastProbability(filters, bounds),
  };
  const narrowed = addressOf({ ...filters, cursor: "" }) !== addressOf({ sort: filters.sort });
  const atRisk = bounds?.medium;
  const page = useLoaded(
    () => api.getHighRiskCustomers(1, ROWS, { ...request, sort: filters.sort, cursor: filters.cursor || undefined }),
    [request, filters.sort, filters.cursor],
  );
  const selection: Selection = {
    has: (id) => selected.has(id),
    set: (customers, chosen) => {
      const after = new Map(selected);
      for (const customer of customers)
        if (chosen) after.set(customer.customer_id, customer);
        else after.delete(customer.customer_id);
      setSelected(after);
    },
  };
  const narrow = (change: Partial<RiskFilters>) => route(addressOf({ ...filters, cursor: "", ...change }));
  return (
    <Card
      title="Call list"
      note={filters.sort === "value" ? "Highest value at risk first" : "Highest churn probability first"}
      aside={
        may("analyst") ? (
          <span class="ways">
            {narrowed ? (
              <AllExport
                label="Export matching predictions"
                filters={{ ...request, min_probability: request.min_probability ?? atRisk }}
                format={format}
              />
            ) : null}
            <AllExport label="Export all predictions" filters={{}} format={format} />
            <FormatChoice chosen={chosen} choose={setChosen} />
          </span>
        ) : null
      }
      wide
    >
      <RiskFilterBar schema={schema} filters={filters} bounds={bounds} narrow={narrow} />
      <CallList
        schema={schema}
        selected={[...selected.values()]}
        format={format}
        clear={() => setSelected(new Map())}
      />
      <Show of={page} lines={12}>
        {({ data, page: place }) =>
          data.length || filters.cursor || place?.next ? (
            <>
              {data.length ? (
                <CustomerTable
                  caption="Customers at risk"
                  schema={schema}
                  customers={data}
                  sort={filters.sort}
                  selection={selection}
                />
              ) : (
                <Empty title="This page is empty now">Its customers have left. Go to the next page.</Empty>
              )}
              <RiskPager
                filters={filters}
                shown={data.length}
                next={place?.next ?? null}
                total={place?.total ?? null}
                turn={(cursor) => narrow({ cursor })}
              />
            </>
          ) : (
            <NoneAtRisk
              narrowed={narrowed}
              widen={() => narrow({ group: "", from: "medium", least: null })}
              schema={schema}
            />
          )
        }
      </Show>
    </Card>
  );
}

interface RiskPagerProps {
  filters: RiskFilters;
  shown: number;
  next: string | null;
  total: number | null;
  turn: (cursor: string) => void;
}

/** Pages by cursor. Previous pages are known from the visited pages, as long as the filters stay. */
function RiskPager({ filters, shown, next, total, turn }: RiskPagerProps) {
  const trail = useRef(new Map<string, string>());
  const list = addressOf({ ...filters, cursor: "" });
  const keyOf = (cursor: string) => `${list} ${cursor}`;
  const back = trail.current.get(keyOf(filters.cursor));
  let number = 1;
  let known = true;
  for (let at = filters.cursor; at; number++) {
    const earlier = trail.current.get(keyOf(at));
    known &&= earlier !== undefined;
    at = earlier ?? "";
  }
  const start = (number - 1) * ROWS;
  const of = total === null ? "" : ` of ${count(total)}`;
  const go = (cursor: string) => {
    turn(cursor);
    document.querySelector(".call-list")?.scrollIntoView({ block: "start" });
  };
  return (
    <Pager
      of="customers at risk"
      position={`${known && shown ? rowRange(start, shown) : counted(shown, "customer")}${of}`}
      first={filters.cursor ? () => go("") : undefined}
      previous={back === undefined ? undefined : () => go(back)}
      next={
        next
          ? () => {
              trail.current.set(keyOf(next), filters.cursor);
              go(next);
            }
          : undefined
      }
    />
  );
}

function NoneAtRisk({ narrowed, widen, schema }: { narrowed: boolean; widen: () => void; schema: FeatureSchema }) {
  if (!narrowed)
    return (
      <Empty title="No customers at risk">
        Either all scored customers are at low risk, or no customers are scored yet. The overview shows which.
      </Empty>
    );
  return (
    <Empty title="No customers match these filters">
      <p>Lower the minimum probability or choose another {(groupColumn(schema)?.label ?? "level").toLowerCase()}.</p>
      <button type="button" onClick={widen}>
        Show all customers at risk
      </button>
    </Empty>
  );
}
