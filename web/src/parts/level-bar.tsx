import type { Schemas } from "../../../client/api-client.js";
import { count, percent } from "../formats";
import "../styles/level-bar.css";
import { Level } from "./level";

/** Customers by risk level: a bar, and a figure for each level. */
export function LevelBar({ levels }: { levels: Schemas["LevelView"][] }) {
  const total = levels.reduce((sum, { customers }) => sum + customers, 0);
  return (
    <div class="level-bar">
      <div class="stack" aria-hidden="true">
        {levels.map(({ level, customers }) => (
          <span key={level} data-level={level} style={{ flexGrow: customers }} />
        ))}
      </div>
      <ul>
        {levels.map(({ level, customers }) => (
          <li key={level}>
            <Level level={level} /> <b>{count(customers)}</b>{" "}
            <small>{total ? percent(customers / total, 0) : ""}</small>
          </li>
        ))}
      </ul>
    </div>
  );
}
