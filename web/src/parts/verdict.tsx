import type { Schemas } from "../../../client/api-client.js";
import { ago, money, percent } from "../formats";
import { Change } from "./customer-table";
import { Level } from "./level";
import type { FeatureSchema } from "./schema";

type Prediction = Schemas["PredictionView"];

/** How probable leaving is, how sure that is, and what it would cost. */
export function Verdict({ prediction, schema }: { prediction: Prediction; schema: FeatureSchema }) {
  const away = 100 * (prediction.probability - prediction.base_probability);
  const { money: terms } = schema;
  return (
    <section class="card verdict" data-level={prediction.level} aria-label="Prediction">
      <p class="value">
        {percent(prediction.probability)} <Level level={prediction.level} />
      </p>
      <p>
        {prediction.churned ? "The last probability before the customer left, for" : "Probability to leave within"}{" "}
        {schema.horizon_days} days, {Math.abs(away).toFixed(1)} points {away < 0 ? "below" : "above"} where everybody
        starts.
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

/** What to do about the risk, what it costs and what it is worth, in words. */
export function Recommendation({ prediction, schema }: { prediction: Prediction; schema: FeatureSchema }) {
  const { action } = prediction;
  const currency = schema.money?.currency;
  if (!action)
    return (
      <section class="card recommendation" aria-label="Recommended action">
        <h2>Leave this customer in peace</h2>
        <p class="quiet">No action earns more than it costs at this probability and price.</p>
      </section>
    );
  const column = schema.columns.find(({ name }) => name === action.feature);
  const saved = column?.action?.save_rate ?? schema.money?.save_rate;
  return (
    <section class="card recommendation" aria-label="Recommended action">
      <p class="quiet">Recommended action{column ? `, about ${column.label.toLowerCase()}` : ""}</p>
      <h2>{action.title}</h2>
      {currency ? (
        <>
          <p class="worth">
            Worth <b>{money(action.expected_value, currency, 2)}</b> on average
          </p>
          <p class="quiet">
            It costs {money(action.cost, currency, 2)}
            {saved === undefined ? "" : ` and keeps about ${percent(saved, 0)} of those who would have left`}. That
            earns {money(action.expected_value + action.cost, currency, 2)} on average over {schema.money?.months}{" "}
            months, less the cost.
          </p>
        </>
      ) : null}
    </section>
  );
}
