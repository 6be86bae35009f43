import type { Schemas } from "../../../client/api-client.js";
import { Card } from "./card";
import { beginning, ending } from "./life";

/** Since when the customer has been one, until when that is known, and earlier times. */
export function LifeCard({ customer }: { customer: Schemas["CustomerView"] }) {
  const { life, earlier_lives: earlier } = customer;
  return (
    <Card title="Time as a customer" note="From the days that files, outcomes and features describe">
      <p class="life">{beginning(life)}</p>
      <p>{ending(life)}</p>
      {earlier.length ? (
        <>
          <h3 class="after">{earlier.length === 1 ? "An earlier time" : "Earlier times"}</h3>
          <ul>
            {[...earlier].reverse().map((before) => (
              <li key={`${before.first_seen_on} ${before.left_on}`}>
                {beginning(before)} · {ending(before)}
              </li>
            ))}
          </ul>
        </>
      ) : null}
    </Card>
  );
}
