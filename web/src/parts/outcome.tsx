import { useState } from "preact/hooks";
import type { Schemas } from "../../../client/api-client.js";
import { wholeDay } from "../formats";
import { useAction } from "../loading";
import { api, may } from "../session";
import { Confirm } from "./dialog";
import { TextField } from "./fields";
import type { FeatureSchema } from "./schema";
import { Failure } from "./states";
import { tell } from "./toasts";

type Customer = Schemas["CustomerView"];

interface OutcomeProps {
  customer: Customer;
  schema: FeatureSchema;
  recorded: () => void;
}

/** The customer's known outcome, with buttons to record it. */
export function Outcome({ customer, schema, recorded }: OutcomeProps) {
  const [recording, setRecording] = useState<boolean | null>(null);
  return (
    <>
      <p class="outcome">{outcomeOf(customer)}</p>
      {schema.label.meaning ? <p class="quiet">Definition of churn: {schema.label.meaning.toLowerCase()}.</p> : null}
      {may("analyst") ? (
        <p class="ways">
          <button type="button" onClick={() => setRecording(true)}>
            {customer.churned ? "Correct the date" : "The customer left"}
          </button>
          <button type="button" onClick={() => setRecording(false)}>
            {customer.churned === false ? "Correct the date" : "The customer stayed"}
          </button>
        </p>
      ) : (
        <p class="quiet">Only analysts can record outcomes.</p>
      )}
      {recording === null ? null : (
        <Recording customer={customer} churned={recording} close={() => setRecording(null)} recorded={recorded} />
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
  const [day, setDay] = useState(churned ? "" : today);
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
            ? `${customer.customer_id} will no longer be listed or counted as a customer at risk.`
            : `${customer.customer_id} remains a customer and will still be scored.`}{" "}
          Outcomes measure the model and train the next version.
        </p>
        <TextField
          label={churned ? "Left on" : "Still a customer on"}
          hint={churned ? `Empty: the day is not known, ${unknownDay(customer)}.` : undefined}
          type="date"
          max={today}
          value={day}
          change={setDay}
          error={record.error?.errors.find(({ field }) => field.endsWith("date"))?.detail}
        />
        {record.error ? <Failure error={record.error} /> : null}
      </div>
    </Confirm>
  );
}

function unknownDay({ life }: Customer): string {
  return life.observed_until
    ? `and lies between ${wholeDay(life.observed_until)} and today`
    : "and is today at the latest";
}

function outcomeOf({ churned, outcome_at }: Customer): string {
  if (churned === null) return "No outcome yet";
  return churned ? "Left" : `Stayed until ${wholeDay(outcome_at)}`;
}
