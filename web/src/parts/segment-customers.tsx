import { useState } from "preact/hooks";
import type { Answer } from "../../../client/api-client.js";
import { count, rowRange } from "../formats";
import { type Loaded, useLoaded } from "../loading";
import { api } from "../session";
import { CustomerTable } from "./customer-table";
import { Choice } from "./fields";
import { Pager } from "./pager";
import type { Order } from "./risk-filters";
import type { FeatureSchema } from "./schema";
import type { SegmentView } from "./segment-figures";
import { requestOf, type Segment, wordsOf } from "./segment-query";
import { Empty, Show } from "./states";

export type SegmentPage = Answer<SegmentView> | null;
export const SEGMENT_ROWS = 10;

interface SegmentCustomersProps {
  schema: FeatureSchema;
  segment: Segment;
  /** The first page by probability; it arrives with the figures of the segment. */
  first: Loaded<SegmentPage>;
}

/** The customers of a segment, page by page. Its key must be the segment: another segment starts at its first page. */
export function SegmentCustomers({ schema, segment, first }: SegmentCustomersProps) {
  const [sort, setSort] = useState<Order>("probability");
  const [trail, setTrail] = useState<string[]>([]);
  const cursor = trail.at(-1) ?? null;
  const further = cursor !== null || sort !== "probability";
  const page = useLoaded<SegmentPage>(
    async () => (further ? api.segmentCustomers({ ...requestOf(segment), sort, limit: SEGMENT_ROWS, cursor }) : null),
    [sort, cursor],
  );
  const order = (chosen: Order) => {
    setSort(chosen);
    setTrail([]);
  };
  return (
    <>
      {schema.money ? (
        <Choice<Order>
          label="Sort by"
          value={sort}
          choose={order}
          options={[
            ["probability", "Probability"],
            ["value", "Value at risk"],
          ]}
        />
      ) : null}
      <Show of={further ? page : first} lines={8}>
        {(answer) => answer && <Rows answer={answer} {...{ schema, segment, sort, trail, setTrail }} />}
      </Show>
    </>
  );
}

interface RowsProps {
  answer: Answer<SegmentView>;
  schema: FeatureSchema;
  segment: Segment;
  sort: Order;
  trail: string[];
  setTrail: (trail: string[]) => void;
}

function Rows({ answer: { data, page }, schema, segment, sort, trail, setTrail }: RowsProps) {
  const { customers } = data;
  const next = page?.next;
  if (!customers.length && !next && !trail.length)
    return <Empty title={data.count ? "No customers listed" : "No customers match"}>{noteOn(data, segment)}</Empty>;
  const rows = customers.length ? rowRange(trail.length * SEGMENT_ROWS, customers.length) : "0 on this page";
  const note = noteOn(data, segment);
  return (
    <>
      {customers.length ? (
        <CustomerTable caption={wordsOf(segment, schema)} schema={schema} customers={customers} sort={sort} />
      ) : (
        <Empty title="No customers on this page">{next ? "Go to the next page." : null}</Empty>
      )}
      <Pager
        of="the segment's customers"
        position={`${rows} of ${data.estimated ? "about " : ""}${count(listed(data, segment))}${note && ` · ${note}`}`}
        first={trail.length ? () => setTrail([]) : undefined}
        previous={trail.length ? () => setTrail(trail.slice(0, -1)) : undefined}
        next={next ? () => setTrail([...trail, next]) : undefined}
      />
    </>
  );
}

/** Without conditions, the API lists customers at low risk only when low is the one selected level. */
function withoutLow({ criteria, levels }: Segment): boolean {
  return criteria.length === 0 && !(levels.length === 1 && levels[0] === "low");
}

function listed(data: SegmentView, segment: Segment): number {
  const low = data.levels.find(({ level }) => level === "low")?.customers ?? 0;
  return withoutLow(segment) ? data.count - low : data.count;
}

function noteOn(data: SegmentView, segment: Segment): string {
  return listed(data, segment) < data.count
    ? "To list customers at low risk, select only low risk or add a condition."
    : "";
}
