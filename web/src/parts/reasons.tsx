import type { Schemas } from "../../../client/api-client.js";
import "../styles/reasons.css";
import { circumstance } from "./waterfall-steps";

type Reason = Schemas["ReasonView"];

interface ReasonsProps {
  reasons: Reason[];
  most?: number;
}

/** The strongest reasons that raise the risk; where no reason raises it, the strongest reasons. */
export function Reasons({ reasons, most = 3 }: ReasonsProps) {
  const raising = reasons.filter(({ points }) => points > 0);
  const shown = (raising.length ? raising : reasons).slice(0, most);
  if (!shown.length) return <span class="quiet">No single reason</span>;
  return (
    <ul class="reasons">
      {shown.map((reason) => (
        <li key={reason.feature} class={reason.points > 0 ? "raises" : "lowers"} title={reason.text}>
          {circumstance(reason.text)}
          <b>{reason.text.slice(circumstance(reason.text).length + 2).replace(/ points?$/, "")}</b>
        </li>
      ))}
    </ul>
  );
}
