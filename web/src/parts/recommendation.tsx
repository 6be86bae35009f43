import type { Schemas } from "../../../client/api-client.js";
import { money, percent } from "../formats";
import type { FeatureSchema } from "./schema";

type Prediction = Schemas["PredictionView"];

/** The recommended action, its cost and its expected value. */
export function Recommendation({ prediction, schema }: { prediction: Prediction; schema: FeatureSchema }) {
  const { action } = prediction;
  const currency = schema.money?.currency;
  if (!action)
    return (
      <section class="card recommendation" aria-label="Recommended action">
        <h2>No action recommended</h2>
        <p class="quiet">No action earns more than it costs at this probability and price.</p>
      </section>
    );
  const column = schema.columns.find(({ name }) => name === action.feature);
  const saved = column?.action?.save_rate ?? schema.money?.save_rate;
  return (
    <section class="card recommendation" aria-label="Recommended action">
      <p class="quiet">Recommended action{column ? ` · ${column.label}` : ""}</p>
      <h2>{action.title}</h2>
      {currency ? (
        <>
          <p class="worth">
            Expected value <b>{money(action.expected_value, currency, 2)}</b>
          </p>
          <p class="quiet">
            The action costs {money(action.cost, currency, 2)}
            {saved === undefined ? "" : ` and retains about ${percent(saved, 0)} of the customers who would leave`}. It
            returns {money(action.expected_value + action.cost, currency, 2)} on average over {schema.money?.months}{" "}
            months, before its cost.
          </p>
        </>
      ) : null}
    </section>
  );
}
