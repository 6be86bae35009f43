import type { Schemas } from "../../../client/api-client.js";
import { count, counted, dateTime, decimal, percent, points } from "../formats";
import { useLoaded } from "../loading";
import { api } from "../session";
import { Card } from "./card";
import { AT_A_GLANCE } from "./schema";
import { Empty, Show } from "./states";
import { Table } from "./table";

type Stability = Schemas["StabilityView"];

/** The customers scored last, compared with the training customers. */
export function Drift({ turn }: { turn: number }) {
  const drift = useLoaded(() => api.getDrift(), [turn]);
  return (
    <Card
      title="Drift"
      note="The customers scored last, compared with the training customers: population stability index (PSI) and effect on expected churn"
      wide
    >
      <Show of={drift} lines={5}>
        {({ data }) => (
          <>
            <p>
              <b>{data.told}</b>
            </p>
            {data.report ? (
              <>
                <p class="quiet">Scored {dateTime(data.report.at)}</p>
                <div class="drifts">
                  {[data.report.score, ...data.report.features].map((feature) => (
                    <Feature key={feature.feature} feature={feature} customers={data.report?.customers ?? 0} />
                  ))}
                </div>
              </>
            ) : (
              <Empty title="No scoring run to compare yet" />
            )}
          </>
        )}
      </Show>
    </Card>
  );
}

const MOST_BINS = 20;

const WORDS: Record<string, string> = { none: "stable", some: "some drift", strong: "strong drift" };

function Feature({ feature, customers }: { feature: Stability; customers: number }) {
  const shift = feature.churn_shift;
  const most = Math.max(...feature.bins.flatMap((bin) => [bin.reference, bin.now]), 1e-9);
  const level = String(feature.level);
  return (
    <details class="drift" data-drift={level}>
      <summary>
        <span>{feature.label}</span>
        <span>
          {WORDS[level] ?? level}{" "}
          <small>
            PSI {decimal(feature.psi)}
            {shift ? `, churn ${points(100 * shift.probability)}` : ""}
          </small>
        </span>
      </summary>
      {feature.told ? <p>{feature.told}</p> : null}
      <p class="quiet">
        Chance alone explains a PSI up to {decimal(feature.noise)}; from {decimal(feature.critical)} the drift is
        significant.
      </p>
      {shift ? (
        <p class="quiet">
          Effect on expected churn: {points(100 * shift.probability)}, or {count(Math.abs(shift.customers))}{" "}
          {shift.customers < 0 ? "fewer" : "more"} churners among {counted(customers, "customer")}. It is significant
          from {decimal(100 * shift.critical, 2)} points on.
        </p>
      ) : null}
      {feature.bins.length > AT_A_GLANCE ? (
        <p class="quiet">
          The {MOST_BINS} of {count(feature.bins.length)} values whose share changed most.
        </p>
      ) : null}
      <Table
        caption={`Distribution of ${feature.label}`}
        columns={[
          { title: feature.unit ? `Values (${feature.unit})` : "Values", cell: ({ label }) => label },
          { title: "At training", cell: ({ reference }) => <Share of={reference} most={most} /> },
          { title: "Last run", cell: ({ now }) => <Share of={now} most={most} now /> },
        ]}
        rows={shownBins(feature.bins)}
        keyOf={({ label }) => label}
      />
    </details>
  );
}

/** The bins of a column. Of many, those that changed most. */
function shownBins(bins: Stability["bins"]): Stability["bins"] {
  if (bins.length <= AT_A_GLANCE) return bins;
  const change = (bin: Stability["bins"][number]) => Math.abs(bin.now - bin.reference);
  return bins.toSorted((one, other) => change(other) - change(one)).slice(0, MOST_BINS);
}

function Share({ of, most, now }: { of: number; most: number; now?: boolean }) {
  return (
    <span class="share">
      <span class={now ? "track now" : "track"} aria-hidden="true">
        <span style={{ width: `${(100 * of) / most}%` }} />
      </span>
      {percent(of)}
    </span>
  );
}
