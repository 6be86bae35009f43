import { useState } from "preact/hooks";
import type { Answer } from "../../../client/api-client.js";
import { count } from "../formats";
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
  /** Its first page by probability, which came with its figures. */
  first: Loaded<SegmentPage>;
}

/** The customers of a segment, page by page. It begins anew with another segment: give it the segment as its key. */
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
          label="Highest first by"
          value={sort}
          choose={order}
          options={[
            ["probability", "By probability"],
            ["value", "By value at risk"],
          ]}
        />
      ) : null}
      <Show of={further ? page : first} lines={8}>
        {(answer) => answer && <Rows answer={answer} {...{ schema, segment, trail, setTrail }} />}
      </Show>
    </>
  );
}

interface RowsProps {
  answer: Answer<SegmentView>;
  schema: FeatureSchema;
  segment: Segment;
  trail: string[];
  setTrail: (trail: string[]) => void;
}

function Rows({ answer: { data, page }, schema, segment, trail, setTrail }: RowsProps) {
  const { customers } = data;
  const next = page?.next;
  if (!customers.length && !next && !trail.length)
    return <Empty title={data.count ? "Nobody is listed" : "Nobody fits"}>{told(data, segment).slice(3)}</Empty>;
  const start = trail.length * SEGMENT_ROWS;
  const rows = customers.length ? `${count(start + 1)} – ${count(start + customers.length)}` : "None on this page";
  return (
    <>
      {customers.length ? (
        <CustomerTable caption={wordsOf(segment, schema)} schema={schema} customers={customers} />
      ) : (
        <Empty title="Nobody on this page">{next ? "Go on to the next one." : null}</Empty>
      )}
      <Pager
        of="the segment's customers"
        told={`${rows} of ${data.estimated ? "about " : ""}${count(listed(data, segment))}${told(data, segment)}`}
        first={trail.length ? () => setTrail([]) : undefined}
        previous={trail.length ? () => setTrail(trail.slice(0, -1)) : undefined}
        next={next ? () => setTrail([...trail, next]) : undefined}
      />
    </>
  );
}

/** Without conditions the API lists customers at low risk only when nothing else is asked for. */
function withoutLow({ criteria, levels }: Segment): boolean {
  return criteria.length === 0 && !(levels.length === 1 && levels[0] === "low");
}

function listed(data: SegmentView, segment: Segment): number {
  const low = data.levels.find(({ level }) => level === "low")?.customers ?? 0;
  return withoutLow(segment) ? data.count - low : data.count;
}

function told(data: SegmentView, segment: Segment): string {
  return listed(data, segment) < data.count
    ? " · Those at low risk are listed once you choose only low risk, or add a condition."
    : "";
}
