import { useEffect } from "preact/hooks";
import { idOf, NotFound, type Schemas } from "../../../client/api-client.js";
import { ago } from "../formats";
import { useAction, useLoaded } from "../loading";
import { Card, Synthetic } from "../parts/card";
import { LifeCard } from "../parts/life-card";
import { OpenCustomer } from "../parts/open-customer";
import { Outcome } from "../parts/outcome";
import { Profile } from "../parts/profile";
import { Recommendation } from "../parts/recommendation";
import { type FeatureSchema, groupColumn } from "../parts/schema";
import { Empty, Failure, Show } from "../parts/states";
import { Timeline } from "../parts/timeline";
import { tell } from "../parts/toasts";
import { useSchema } from "../parts/use-schema";
import { Verdict } from "../parts/verdict";
import { Waterfall } from "../parts/waterfall";
import { WhatIf } from "../parts/what-if";
import { api, may } from "../session";
import "../styles/customer.css";

type Customer = Schemas["CustomerView"];

/** A customer: churn probability, reasons and recommended action. */
export default function CustomerPage({ id }: { id: string }) {
  const customerId = idOf(id);
  return <CustomerOf key={customerId} id={customerId} />;
}

function CustomerOf({ id }: { id: string }) {
  const schema = useSchema();
  const customer = useLoaded(async () => (await api.getCustomer(id)).data, [id]);
  useEffect(() => {
    document.title = `${id} · RetainStream`;
  }, [id]);
  const { loading } = customer;
  const title = schema.loading.data?.id.label ?? "Customer";
  return (
    <>
      <div class="heading">
        <div>
          <p class="quiet">
            <a href="/at-risk">At risk</a> / {title}
          </p>
          <h1>
            {id} <Synthetic when={loading.data?.source === "synthetic"} />
          </h1>
          {loading.data && schema.loading.data ? (
            <Description customer={loading.data} schema={schema.loading.data} />
          ) : null}
        </div>
        <OpenCustomer label={title} />
      </div>
      {loading.state === "failed" && loading.error instanceof NotFound ? (
        <Card title={`There is no customer ${id}`}>
          <Empty title="Nothing is stored under this id">
            <p>Check the spelling. The customer may have been deleted.</p>
            <a href="/at-risk">Customers at risk</a>
          </Empty>
        </Card>
      ) : (
        <Show of={schema} lines={12}>
          {(columns) => (
            <Show of={customer} lines={12}>
              {(data) => <Details customer={data} schema={columns} reload={customer.reload} />}
            </Show>
          )}
        </Show>
      )}
    </>
  );
}

function Description({ customer, schema }: { customer: Customer; schema: FeatureSchema }) {
  const group = groupColumn(schema);
  return (
    <p class="quiet">
      {group ? `${group.label}: ${customer.group} · ` : ""}source: {customer.source} · updated{" "}
      {ago(customer.updated_at)}
      {customer.churned ? <span class="tag gone">has left</span> : null}
    </p>
  );
}

interface DetailsProps {
  customer: Customer;
  schema: FeatureSchema;
  reload: () => void;
}

function Details({ customer, schema, reload }: DetailsProps) {
  const { prediction } = customer;
  return (
    <>
      {prediction ? (
        <div class="grid customer-answers">
          <Verdict prediction={prediction} schema={schema} />
          {customer.churned ? null : <Recommendation prediction={prediction} schema={schema} />}
        </div>
      ) : null}
      <Freshness customer={customer} reload={reload} />
      <div class={prediction ? "customer-parts" : "customer-parts unscored"}>
        {prediction ? (
          <Card title="Reasons" note="Effect on the churn probability in percentage points, strongest first">
            <Waterfall score={prediction} schema={schema} />
          </Card>
        ) : null}
        <div class="aside">
          <Card title="Profile" note={schema.title}>
            <Profile features={customer.features} schema={schema} />
          </Card>
          <LifeCard customer={customer} />
          <Card title="Outcome" note="Whether this customer left or stayed">
            <Outcome customer={customer} schema={schema} recorded={reload} />
          </Card>
        </div>
        <Card title="What if" note="Try other values and see the score change" wide>
          <WhatIf customer={customer} schema={schema} />
        </Card>
        <Card
          title="Timeline"
          wide
          note="Churn probability by scoring run, above the time as a customer; the dashed line is the average customer"
        >
          <Timeline customer={customer} />
        </Card>
      </div>
    </>
  );
}

/** A notice that the score is missing or older than the profile, with a button to score the customer. */
function Freshness({ customer, reload }: { customer: Customer; reload: () => void }) {
  const score = useAction(async () => {
    await api.generatePredictions({ customer_ids: [customer.customer_id] } as Schemas["GenerateRequest"]);
    tell(`Scored ${customer.customer_id}.`);
    reload();
  });
  const { prediction } = customer;
  if (customer.churned || (prediction && !customer.features_changed)) return null;
  return (
    <div class="notice freshness">
      <p>
        {prediction
          ? "The profile has changed since this prediction was made."
          : "This customer has no prediction yet. The next scoring run makes one."}
      </p>
      {may("analyst") ? (
        <button type="button" disabled={score.busy} onClick={() => void score.run()}>
          {score.busy ? "Scoring…" : "Score now"}
        </button>
      ) : null}
      {score.error ? <Failure error={score.error} /> : null}
    </div>
  );
}
