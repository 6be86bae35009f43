import { useState } from "preact/hooks";
import { useLocation } from "preact-iso";
import { type Loaded, useLoaded } from "../loading";
import { Card, Synthetic } from "../parts/card";
import { Comparison } from "../parts/comparison";
import { Criteria } from "../parts/criteria";
import { Choice } from "../parts/fields";
import type { FeatureSchema } from "../parts/schema";
import { SEGMENT_ROWS, SegmentCustomers, type SegmentPage } from "../parts/segment-customers";
import { SegmentFigures } from "../parts/segment-figures";
import { ALL_SCORED, readSegment, requestOf, type Segment, wordsOf, writeSegment } from "../parts/segment-query";
import { Show } from "../parts/states";
import { useModel } from "../parts/use-model";
import { useSchema } from "../parts/use-schema";
import { api } from "../session";
import "../styles/segments.css";

type Name = "a" | "b";

/** Segments of customers by criteria, and two segments compared. */
export default function SegmentsPage() {
  const schema = useSchema();
  return (
    <Show of={schema} lines={12}>
      {(columns) => <Segments schema={columns} />}
    </Show>
  );
}

/** The segments are kept in the address, so that a link shows them. A condition without a value is kept here. */
function useSegments(schema: FeatureSchema) {
  const { url, route } = useLocation();
  const query = new URLSearchParams(url.split("?")[1] ?? "");
  const [draft, setDraft] = useState<{ query: string; segments: Record<Name, Segment> } | null>(null);
  const linked = { a: readSegment(query, "a", schema), b: readSegment(query, "b", schema) };
  const comparing = query.has("compare");
  const segments = draft?.query === query.toString() ? draft.segments : linked;
  const show = (next: Record<Name, Segment>, compare: boolean) => {
    const address = new URLSearchParams();
    writeSegment(address, "a", next.a);
    if (compare) {
      address.set("compare", "b");
      writeSegment(address, "b", next.b);
    }
    setDraft({ query: address.toString(), segments: next });
    if (address.toString() !== query.toString()) route(`/segments${address.size ? `?${address}` : ""}`, true);
  };
  return {
    segments,
    comparing,
    change: (name: Name, segment: Segment) => show({ ...segments, [name]: segment }, comparing),
    compare: (wanted: boolean) => show({ ...segments, b: wanted ? segments.a : ALL_SCORED }, wanted),
  };
}

function Segments({ schema }: { schema: FeatureSchema }) {
  const { segments, comparing, change, compare } = useSegments(schema);
  const model = useModel();
  const [listed, setListed] = useState<Name>("a");
  const a = useSegment(segments.a);
  const b = useSegment(comparing ? segments.b : null);
  const shown = comparing ? listed : "a";
  const page = shown === "a" ? a : b;
  return (
    <>
      <div class="heading">
        <div>
          <h1>
            Segments <Synthetic when={model.loading.data?.synthetic} />
          </h1>
          <p class="quiet">Groups of customers: size, churn probability and value at risk</p>
        </div>
        <button type="button" aria-pressed={comparing} onClick={() => compare(!comparing)}>
          {comparing ? "Stop comparing" : "Compare with another segment"}
        </button>
      </div>
      <div class={comparing ? "segments two" : "segments"}>
        <Builder name="a" of={a} {...{ schema, segments, comparing, change }} />
        {comparing ? <Builder name="b" of={b} {...{ schema, segments, comparing, change }} /> : null}
      </div>
      {comparing ? (
        <Card title="A and B compared" wide>
          <Show of={a}>
            {(pageOfA) => (
              <Show of={b}>
                {(pageOfB) => pageOfA && pageOfB && <Comparison a={pageOfA.data} b={pageOfB.data} schema={schema} />}
              </Show>
            )}
          </Show>
        </Card>
      ) : null}
      {page.loading.state === "failed" ? null : (
        <Card
          title="Customers in the segment"
          note={wordsOf(segments[shown], schema)}
          aside={
            comparing ? (
              <Choice<Name>
                label="Segment shown"
                value={listed}
                choose={setListed}
                options={[
                  ["a", "Segment A"],
                  ["b", "Segment B"],
                ]}
              />
            ) : null
          }
          wide
        >
          <SegmentCustomers
            key={shown + JSON.stringify(requestOf(segments[shown]))}
            schema={schema}
            segment={segments[shown]}
            first={page}
          />
        </Card>
      )}
    </>
  );
}

function useSegment(segment: Segment | null): Loaded<SegmentPage> {
  const request = segment && requestOf(segment);
  return useLoaded(async () => (request ? api.segmentCustomers({ ...request, limit: SEGMENT_ROWS }) : null), [request]);
}

interface BuilderProps {
  name: Name;
  schema: FeatureSchema;
  segments: Record<Name, Segment>;
  comparing: boolean;
  of: Loaded<SegmentPage>;
  change: (name: Name, segment: Segment) => void;
}

function Builder({ name, schema, segments, comparing, of, change }: BuilderProps) {
  const segment = segments[name];
  return (
    <Card title={comparing ? `Segment ${name.toUpperCase()}` : "Segment"} note={wordsOf(segment, schema)}>
      <div class="segment">
        <Criteria schema={schema} segment={segment} change={(changed) => change(name, changed)} />
        <div class="outcome-of-segment" aria-live="polite">
          <Show of={of} lines={6}>
            {(page) => page && <SegmentFigures view={page.data} schema={schema} />}
          </Show>
        </div>
      </div>
    </Card>
  );
}
