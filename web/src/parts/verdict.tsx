import type { Schemas } from "../../../client/api-client.js";
import { ago, money, percent, pointSize, shareRange } from "../formats";
import { Change } from "./customer-table";
import { Level } from "./level";
import type { FeatureSchema } from "./schema";

type Prediction = Schemas["PredictionView"];

/** A customer's churn probability, its interval and the value at risk. */
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
      <Sureness prediction={prediction} />
      <dl>
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

/** How well the model's past customers determine the probability. */
function Sureness({ prediction }: { prediction: Prediction }) {
  const { interval, confident } = prediction;
  if (!interval) return null;
  return (
    <p class="quiet">
      Of the customers with this score, {shareRange(interval)} leave (95% sure).{" "}
      {confident
        ? "The probability is well known."
        : "The probability is not well known: few past customers have such a score."}
    </p>
  );
}
