import type { Schemas } from "../../../client/api-client.js";
import { dateTime, decimal, percent } from "../formats";
import { useLoaded } from "../loading";
import { api } from "../session";
import { Card } from "./card";
import { Empty, Show } from "./states";

type Stability = Schemas["StabilityView"];

/** Whether the customers scored last still look like those the model was made with. */
export function Drift({ turn }: { turn: number }) {
  const drift = useLoaded(() => api.getDrift(), [turn]);
  return (
    <Card
      title="Drift"
      note="Customers scored last against those the model was made with: population stability index (PSI)"
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
              <Empty title="There is nothing to compare yet" />
            )}
          </>
        )}
      </Show>
    </Card>
  );
}

const WORDS: Record<string, string> = { none: "steady", some: "some drift", strong: "strong drift" };

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
        Up to {decimal(feature.noise)} is to be expected by chance; from {decimal(feature.critical)} it is more than
        chance.
      </p>
      <table>
        <thead>
          <tr>
            <th scope="col">{feature.unit ? `Values (${feature.unit})` : "Values"}</th>
            <th scope="col">Made with</th>
            <th scope="col">Now</th>
          </tr>
        </thead>
        <tbody>
          {feature.bins.map((bin) => (
            <tr key={bin.label}>
              <td>{bin.label}</td>
              <td>
                <Share of={bin.reference} most={most} />
              </td>
              <td>
                <Share of={bin.now} most={most} now />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
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
