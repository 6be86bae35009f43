import { percent } from "../formats";

export type RiskLevel = "low" | "medium" | "high" | "critical";

export const LEVELS: RiskLevel[] = ["low", "medium", "high", "critical"];

/** A risk level as a colour and a word. */
export function Level({ level }: { level: string }) {
  return (
    <span class="level" data-level={level}>
      {level}
    </span>
  );
}

/** A probability as a figure and a bar, in the colour of its level. */
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
