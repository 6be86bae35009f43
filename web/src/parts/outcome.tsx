import { useState } from "preact/hooks";
import type { Schemas } from "../../../client/api-client.js";
import { date } from "../formats";
import { useAction } from "../loading";
import { api, may } from "../session";
import { Confirm } from "./dialog";
import { Field } from "./fields";
import type { FeatureSchema } from "./schema";
import { Failure } from "./states";
import { tell } from "./toasts";

type Customer = Schemas["CustomerView"];

interface OutcomeProps {
  customer: Customer;
  schema: FeatureSchema;
  recorded: () => void;
}

/** Whether the customer left in the end: what is known, and the way to record it. */
export function Outcome({ customer, schema, recorded }: OutcomeProps) {
  const [asking, setAsking] = useState<boolean | null>(null);
  return (
    <>
      <p class="outcome">{known(customer)}</p>
      {schema.label.meaning ? <p class="quiet">What counts as leaving: {schema.label.meaning.toLowerCase()}.</p> : null}
      {may("analyst") ? (
        <p class="ways">
          <button type="button" onClick={() => setAsking(true)}>
            {customer.churned ? "Correct the date" : "The customer left"}
          </button>
          <button type="button" onClick={() => setAsking(false)}>
            {customer.churned === false ? "Correct the date" : "The customer stayed"}
          </button>
        </p>
      ) : (
        <p class="quiet">Outcomes are recorded by analysts; you can look at them.</p>
      )}
      {asking === null ? null : (
        <Recording customer={customer} churned={asking} close={() => setAsking(null)} recorded={recorded} />
      )}
    </>
  );
}

interface RecordingProps {
  customer: Customer;
  churned: boolean;
  close: () => void;
  recorded: () => void;
}

function Recording({ customer, churned, close, recorded }: RecordingProps) {
  const today = new Date().toISOString().slice(0, 10);
  const [day, setDay] = useState(today);
  const record = useAction(() => api.recordOutcome(customer.customer_id, churned, day || undefined));
  const confirm = async () => {
    if (!(await record.run())) return;
    tell(`Recorded: ${customer.customer_id} ${churned ? "left" : "stayed"}.`);
    close();
    recorded();
  };
  return (
    <Confirm
      title={churned ? "The customer left" : "The customer stayed"}
      action="Record"
      busy={record.busy}
      confirm={() => void confirm()}
      close={close}
    >
      <div class="recording">
        <p>
          {churned
            ? `${customer.customer_id} will no longer be counted or called as a customer at risk.`
            : `${customer.customer_id} stays a customer and goes on being scored.`}{" "}
          The outcome is used to measure the model and to train the next one.
        </p>
        <Field
          label="Day it was known"
          error={record.error?.errors.find(({ field }) => field.endsWith("date"))?.detail}
        >
          {(attributes) => (
            <input
              {...attributes}
              type="date"
              max={today}
              value={day}
              onInput={(event) => setDay(event.currentTarget.value)}
            />
          )}
        </Field>
        {record.error ? <Failure error={record.error} /> : null}
      </div>
    </Confirm>
  );
}

function known({ churned, outcome_at }: Customer): string {
  if (churned === null) return "Not known yet";
  const day = outcome_at ? `, known on ${date(outcome_at)}` : "";
  return churned ? `Left${day}` : `Stayed${day}`;
}
