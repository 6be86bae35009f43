import { useState } from "preact/hooks";
import type { Schemas } from "../../../client/api-client.js";
import { money, percent, points } from "../formats";
import "../styles/what-if.css";
import { Level } from "./level";
import type { FeatureSchema, Features, Value } from "./schema";
import { Failure } from "./states";
import { useWhatIf } from "./use-what-if";
import { reasonChanges } from "./waterfall-steps";
import { WhatIfInput } from "./what-if-input";

type Customer = Schemas["CustomerView"];

/** What other values would do to this customer's probability; nothing is stored. */
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
                ? "Scoring …"
                : "Move a slider or choose another value: the probability and its reasons follow at once. Nothing is stored."}
            </p>
          ) : null}
          {score.answer && !score.error ? <BeforeAfter answer={score.answer} busy={score.busy} /> : null}
          <p class="told-aloud" role="status" aria-live="polite">
            {score.answer && !score.busy ? aloud(score.answer) : ""}
          </p>
          <button type="button" disabled={!changed} onClick={() => setChanges({})}>
            Reset {changed ? `${changed} ${changed === 1 ? "change" : "changes"}` : ""}
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
        <small>then</small>
        <b>{percent(after.probability)}</b>
        <Level level={after.level} />
      </p>
      <p class="change">
        <small>change</small>
        <b class={change > 0 ? "raises" : "lowers"}>{points(100 * change)}</b>
        <span class="quiet">points</span>
      </p>
    </div>
  );
}

function ReasonChanges({ answer, schema }: { answer: Answer; schema: FeatureSchema }) {
  const changes = reasonChanges(answer.before, answer.after, schema);
  if (!changes.length) return <p class="quiet">No reason's weight changes.</p>;
  return (
    <table class="reason-changes">
      <caption>Reasons whose weight changes, in points</caption>
      <thead>
        <tr>
          <th scope="col">Reason</th>
          <th scope="col" class="number">
            Now
          </th>
          <th scope="col" class="number">
            Then
          </th>
        </tr>
      </thead>
      <tbody>
        {changes.map(({ feature, label, before, after }) => (
          <tr key={feature}>
            <th scope="row">{label}</th>
            <td class="number">{points(before)}</td>
            <td class="number">
              <b class={after > before ? "raises" : "lowers"}>{points(after)}</b>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function AfterAction({ answer: { before, after }, schema }: { answer: Answer; schema: FeatureSchema }) {
  const currency = schema.money?.currency;
  return (
    <p class="quiet">
      {currency
        ? `Value at risk ${money(before.value_at_risk, currency, 2)} → ${money(after.value_at_risk, currency, 2)}. `
        : ""}
      {after.action ? `Then best: ${after.action.title.toLowerCase()}.` : "Then no action would pay."}
    </p>
  );
}

function aloud({ before, after, change }: Answer): string {
  return `From ${percent(before.probability)}, ${before.level}, to ${percent(after.probability)}, ${after.level}: ${points(100 * change)} points.`;
}
