import { percent, points } from "../formats";
import "../styles/waterfall.css";
import type { FeatureSchema } from "./schema";
import { type Score, type Step, waterfall } from "./waterfall-steps";

/** The way from the base probability to this customer's, reason by reason: a table whose bars are drawn in its rows. */
export function Waterfall({ score, schema }: { score: Score; schema: FeatureSchema }) {
  const steps = waterfall(score, schema);
  const [base, own] = [100 * score.base_probability, 100 * score.probability];
  const reached = steps.flatMap(({ from, to }) => [from, to]);
  const [low, high] = [Math.min(0, base, own, ...reached), Math.max(base, own, ...reached)];
  const place = (value: number) => (100 * (value - low)) / (high - low || 1);
  return (
    <figure class="waterfall">
      <figcaption>{told(score, steps)}</figcaption>
      <table>
        <thead>
          <tr>
            <th scope="col">Reason</th>
            <td class="plot" />
            <th scope="col" class="number">
              Points
            </th>
          </tr>
        </thead>
        <tbody>
          <tr class="end">
            <th scope="row">
              Where everybody starts
              <small>before anything is known of the customer</small>
            </th>
            <td class="plot">
              <Bar from={place(0)} to={place(base)} kind="ends" />
            </td>
            <td class="number">{percent(score.base_probability)}</td>
          </tr>
          {steps.map((step) => (
            <tr key={step.feature}>
              <th scope="row">
                {step.label}
                <small>{step.circumstance}</small>
              </th>
              <td class="plot">
                <Bar from={place(step.from)} to={place(step.to)} kind={step.points > 0 ? "raises" : "lowers"} />
              </td>
              <td class="number">
                <b class={step.points > 0 ? "raises" : "lowers"}>{points(step.points)}</b>
              </td>
            </tr>
          ))}
          <tr class="end">
            <th scope="row">This customer</th>
            <td class="plot">
              <Bar from={place(0)} to={place(own)} kind="ends" />
            </td>
            <td class="number">
              <b>{percent(score.probability)}</b>
            </td>
          </tr>
        </tbody>
      </table>
    </figure>
  );
}

function Bar({ from, to, kind }: { from: number; to: number; kind: "raises" | "lowers" | "ends" }) {
  const [left, right] = [Math.min(from, to), Math.max(from, to)];
  return (
    <span class="rail" aria-hidden="true">
      <span class={kind} style={{ left: `${left}%`, width: `max(2px, ${right - left}%)` }} />
    </span>
  );
}

function told(score: Score, steps: Step[]): string {
  const way = `From ${percent(score.base_probability)} for anybody to ${percent(score.probability)} for this customer`;
  const [strongest] = steps;
  if (!strongest) return `${way}; no column has a part in it.`;
  return `${way}. The strongest part: ${strongest.circumstance || strongest.label} (${points(strongest.points)} points).`;
}
