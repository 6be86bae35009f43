import type { Schemas } from "../../../client/api-client.js";
import { dateTime, decimal, percent } from "../formats";
import { useLoaded } from "../loading";
import { api } from "../session";
import { Card } from "./card";
import { Empty, Show } from "./states";
import { Table } from "./table";

type Stability = Schemas["StabilityView"];

/** The customers scored last, compared with the training customers. */
export function Drift({ turn }: { turn: number }) {
  const drift = useLoaded(() => api.getDrift(), [turn]);
  return (
    <Card
      title="Drift"
      note="Population stability index (PSI) of the customers scored last, compared with the training customers"
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
                    <Feature key={feature.feature} feature={feature} />
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

const WORDS: Record<string, string> = { none: "stable", some: "some drift", strong: "strong drift" };

function Feature({ feature }: { feature: Stability }) {
  const most = Math.max(...feature.bins.flatMap((bin) => [bin.reference, bin.now]), 1e-9);
  const level = String(feature.level);
  return (
    <details class="drift" data-drift={level}>
      <summary>
        <span>{feature.label}</span>
        <span>
          {WORDS[level] ?? level} <small>PSI {decimal(feature.psi)}</small>
        </span>
      </summary>
      {feature.told ? <p>{feature.told}</p> : null}
      <p class="quiet">
        Chance alone explains a PSI up to {decimal(feature.noise)}; from {decimal(feature.critical)} the drift is
        significant.
      </p>
      <Table
        caption={`Distribution of ${feature.label}`}
        columns={[
          { title: feature.unit ? `Values (${feature.unit})` : "Values", cell: ({ label }) => label },
          { title: "At training", cell: ({ reference }) => <Share of={reference} most={most} /> },
          { title: "Last run", cell: ({ now }) => <Share of={now} most={most} now /> },
        ]}
        rows={feature.bins}
        keyOf={({ label }) => label}
      />
    </details>
  );
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
