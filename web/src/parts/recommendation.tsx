import type { Schemas } from "../../../client/api-client.js";
import { money, percent } from "../formats";
import type { FeatureSchema } from "./schema";

type Prediction = Schemas["PredictionView"];

/** The recommended action, its expected value, and what that value is made of. */
export function Recommendation({ prediction, schema }: { prediction: Prediction; schema: FeatureSchema }) {
  const { action } = prediction;
  if (!action)
    return (
      <section class="card recommendation" aria-label="Recommended action">
        <h2>No action recommended</h2>
        <p class="quiet">
          No action for a column that makes at least 10% of the rise in this customer’s risk earns more than it costs.
        </p>
      </section>
    );
  const column = schema.columns.find(({ name }) => name === action.feature);
  const { money: terms } = schema;
  const saved = column?.action?.save_rate ?? terms?.save_rate;
  const amount = (value: number) => money(value, terms?.currency, 2);
  return (
    <section class="card recommendation" aria-label="Recommended action">
      <p class="quiet">Recommended action{column ? ` · ${column.label}` : ""}</p>
      <h2>{action.title}</h2>
      {terms ? (
        <>
          <p class="worth">
            Expected value <b>{amount(action.expected_value)}</b>
          </p>
          <p class="quiet">
            {action.share_of_raise == null || !column
              ? null
              : `${column.label} makes ${percent(action.share_of_raise, 0)} of the rise in this customer’s risk. `}
            {saved === undefined
              ? null
              : `The action retains about ${percent(saved, 0)} of the customers who would leave for this reason. `}
            It costs {amount(action.cost)} for each customer who takes it, also for those who would have stayed
            {terms.contact_cost ? `, and ${amount(terms.contact_cost)} for each contact` : ""}.{" "}
            {prediction.probability > 0
              ? `A retained customer brings ${amount(prediction.value_at_risk / prediction.probability)} on average within ${terms.months} months.`
              : null}
          </p>
        </>
      ) : null}
    </section>
  );
}
