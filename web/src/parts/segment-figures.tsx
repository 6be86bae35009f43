import type { Schemas } from "../../../client/api-client.js";
import { count, money, percent } from "../formats";
import { Figure } from "./card";
import { LevelBar } from "./level-bar";
import type { FeatureSchema } from "./schema";
import { Empty } from "./states";

export type SegmentView = Schemas["SegmentView"];

/** A segment's size, churn probability and value at risk. */
export function SegmentFigures({ view, schema }: { view: SegmentView; schema: FeatureSchema }) {
  if (!view.count)
    return (
      <Empty title="No customers match">
        <p>No scored customer meets all conditions. Remove or relax a condition.</p>
      </Empty>
    );
  return (
    <>
      <div class="figures segment-figures">
        <Figure
          title="Customers"
          value={`${view.estimated ? "≈ " : ""}${count(view.count)}`}
          note={`${percent(view.of ? view.count / view.of : null)} of ${count(view.of)} scored`}
        />
        {schema.money ? (
          <Figure
            title="Value at risk"
            value={money(view.value_at_risk, view.currency, 0)}
            note={`${money(view.value_at_risk / view.count, view.currency, 2)} per customer`}
          />
        ) : null}
        <Figure
          title="Expected churners"
          value={count(view.expected_churners)}
          note={`within ${schema.horizon_days} days`}
        />
        <Figure title="Mean probability" value={percent(view.mean_probability)} note="of churn" />
      </div>
      <LevelBar levels={view.levels} />
      <p class="quiet basis">{basis(view)}</p>
    </>
  );
}

function basis(view: SegmentView): string {
  if (view.estimated)
    return `Estimate: ${count(view.examined)} of ${count(view.of)} predictions were read and scaled to all.`;
  return view.examined ? `Exact: all ${count(view.examined)} predictions were read.` : "Exact: read from the counters.";
}
