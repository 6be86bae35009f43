import { percent } from "../formats";

export type RiskLevel = "low" | "medium" | "high" | "critical";

export const LEVELS: RiskLevel[] = ["low", "medium", "high", "critical"];

/** A risk level as colour and word. */
export function Level({ level }: { level: string }) {
  return (
    <span class="level" data-level={level}>
      {level}
    </span>
  );
}

/** A probability as figure and bar, in the colour of its level. */
export function Probability({ value, level }: { value: number; level: string }) {
  return (
    <span class="probability" data-level={level}>
      <b>{percent(value)}</b>
      <span class="track" aria-hidden="true">
        <span style={{ width: `${value * 100}%` }} />
      </span>
    </span>
  );
}
