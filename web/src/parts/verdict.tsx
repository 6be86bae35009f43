import type { Schemas } from "../../../client/api-client.js";
import { ago, money, percent, pointSize } from "../formats";
import { Change } from "./customer-table";
import { Level } from "./level";
import type { FeatureSchema } from "./schema";

type Prediction = Schemas["PredictionView"];

/** A customer's churn probability, its confidence and the value at risk. */
export function Verdict({ prediction, schema }: { prediction: Prediction; schema: FeatureSchema }) {
  const difference = 100 * (prediction.probability - prediction.base_probability);
  const { money: terms } = schema;
  return (
    <section class="card verdict" data-level={prediction.level} aria-label="Prediction">
      <p class="value">
        {percent(prediction.probability)} <Level level={prediction.level} />
      </p>
      <p>
        {prediction.churned ? "Last churn probability before the customer left," : "Churn probability within"}{" "}
        {schema.horizon_days} days, {pointSize(difference)} {difference < 0 ? "below" : "above"} the average customer.
      </p>
      <dl>
        <div>
          <dt>Confidence</dt>
          <dd>
            {percent(prediction.confidence, 0)} <small>{prediction.confident ? "confident" : "not confident"}</small>
          </dd>
        </div>
        {terms ? (
          <div>
            <dt>Value at risk</dt>
            <dd>
              {money(prediction.value_at_risk, terms.currency, 2)} <small>over {terms.months} months</small>
            </dd>
          </div>
        ) : null}
        <div>
          <dt>Since the last run</dt>
          <dd>
            <Change change={prediction.change} /> {prediction.change ? <small>points</small> : null}
          </dd>
        </div>
        <div>
          <dt>Scored</dt>
          <dd>{ago(prediction.scored_at)}</dd>
        </div>
      </dl>
    </section>
  );
}

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
