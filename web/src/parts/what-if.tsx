import { useState } from "preact/hooks";
import type { Schemas } from "../../../client/api-client.js";
import { counted, money, percent, points, signed } from "../formats";
import "../styles/what-if.css";
import { Level } from "./level";
import type { FeatureSchema, Features, Value } from "./schema";
import { Failure } from "./states";
import { Table } from "./table";
import { useWhatIf } from "./use-what-if";
import { reasonChanges } from "./waterfall-steps";
import { WhatIfInput } from "./what-if-input";

type Customer = Schemas["CustomerView"];

/** The effect of other values on this customer's churn probability. Nothing is stored. */
export function WhatIf({ customer, schema }: { customer: Customer; schema: FeatureSchema }) {
  const [changes, setChanges] = useState<Features>({});
  const score = useWhatIf(customer.customer_id, changes);
  const original = (name: string): Value => customer.features[name] ?? null;
  const change = (name: string, value: Value) =>
    setChanges((before) => {
      const { [name]: _, ...others } = before;
      return value === original(name) ? others : { ...others, [name]: value };
    });
  const changed = Object.keys(changes).length;
  return (
    <div class="what-if">
      <div class="inputs">
        {schema.columns
          .filter(({ feature }) => feature)
          .map((column) => (
            <WhatIfInput
              key={column.name}
              column={column}
              original={original(column.name)}
              value={column.name in changes ? (changes[column.name] ?? null) : original(column.name)}
              change={(value) => change(column.name, value)}
            />
          ))}
      </div>
      <div class="answer" data-answered={score.answer !== null}>
        <div class="score">
          {score.error ? <Failure error={score.error} /> : null}
          {!score.answer && !score.error ? (
            <p class="quiet">
              {score.busy
                ? "Scoring…"
                : "Move a slider or choose another value. The probability and its reasons update at once; nothing is stored."}
            </p>
          ) : null}
          {score.answer && !score.error ? <BeforeAfter answer={score.answer} busy={score.busy} /> : null}
          <p class="unseen" role="status" aria-live="polite">
            {score.answer && !score.busy ? spoken(score.answer) : ""}
          </p>
          <button type="button" disabled={!changed} onClick={() => setChanges({})}>
            Reset {changed ? counted(changed, "change") : ""}
          </button>
        </div>
        {score.answer && !score.error ? (
          <div class={score.busy ? "consequences stale" : "consequences"} aria-busy={score.busy}>
            <ReasonChanges answer={score.answer} schema={schema} />
            <AfterAction answer={score.answer} schema={schema} />
          </div>
        ) : null}
      </div>
    </div>
  );
}

type Answer = Schemas["WhatIfView"];

function BeforeAfter({ answer: { before, after, change }, busy }: { answer: Answer; busy: boolean }) {
  return (
    <div class={busy ? "before-after stale" : "before-after"}>
      <p>
        <small>now</small>
        <b>{percent(before.probability)}</b>
        <Level level={before.level} />
      </p>
      <span aria-hidden="true">→</span>
      <p>
        <small>what if</small>
        <b>{percent(after.probability)}</b>
        <Level level={after.level} />
      </p>
      <p class="change">
        <small>change</small>
        <b class={change > 0 ? "raises" : "lowers"}>{signed(100 * change)}</b>
        <span class="quiet">points</span>
      </p>
    </div>
  );
}

function ReasonChanges({ answer, schema }: { answer: Answer; schema: FeatureSchema }) {
  const changes = reasonChanges(answer.before, answer.after, schema);
  if (!changes.length) return <p class="quiet">No reason changes.</p>;
  return (
    <Table
      caption="Changed reasons, in percentage points"
      captioned
      class="reason-changes"
      columns={[
        { title: "Reason", rowHeader: true, cell: ({ label }) => label },
        { title: "Now", number: true, cell: ({ before }) => signed(before) },
        {
          title: "What if",
          number: true,
          cell: ({ before, after }) => <b class={after > before ? "raises" : "lowers"}>{signed(after)}</b>,
        },
      ]}
      rows={changes}
      keyOf={({ feature }) => feature}
    />
  );
}

function AfterAction({ answer: { before, after }, schema }: { answer: Answer; schema: FeatureSchema }) {
  const currency = schema.money?.currency;
  return (
    <p class="quiet">
      {currency
        ? `Value at risk ${money(before.value_at_risk, currency, 2)} → ${money(after.value_at_risk, currency, 2)}. `
        : ""}
      {after.action ? `Best action then: ${after.action.title}.` : "No action would pay off then."}
    </p>
  );
}

function spoken({ before, after, change }: Answer): string {
  return `From ${percent(before.probability)}, ${before.level}, to ${percent(after.probability)}, ${after.level}: ${points(100 * change)}.`;
}
