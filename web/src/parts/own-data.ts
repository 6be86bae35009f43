/** The draft of a schema for a file: what its author has corrected, and the requests that follow. */
import type { Schemas } from "../../../client/api-client.js";

export type Draft = Schemas["DraftOfSchema"];
export type Kind = "number" | "integer" | "boolean" | "category" | "date" | "leave out";
export type Meaning = "left" | "stayed" | "not_known";

/** The author's corrections. Empty texts and missing keys are left to the draft. */
export interface Corrections {
  label: string;
  id: string;
  title: string;
  kinds: Record<string, Kind>;
  words: Record<string, Meaning>;
}

export const NOTHING_CORRECTED: Corrections = { label: "", id: "", title: "", kinds: {}, words: {} };

export const KINDS: readonly (readonly [Kind, string])[] = [
  ["number", "number"],
  ["integer", "whole number"],
  ["boolean", "yes or no"],
  ["category", "category"],
  ["date", "date"],
  ["leave out", "leave out"],
];

export const MEANINGS: readonly (readonly [Meaning, string])[] = [
  ["left", "left"],
  ["stayed", "stayed"],
  ["not_known", "not known"],
];

/** The body of the request for the draft. */
export function draftAsked(corrections: Corrections) {
  const { label, id, title, kinds, words } = corrections;
  return { label, ...(id ? { id } : {}), ...(title ? { title, name: nameFrom(title) } : {}), kinds, words };
}

/** A schema's name from its title, as in "Members of Gym 1" → members_of_gym_1. */
export function nameFrom(title: string): string {
  const name = title
    .normalize("NFKD")
    .replace(/[^A-Za-z0-9]+/g, "_")
    .replace(/^[^A-Za-z]+|_+$/g, "")
    .toLowerCase()
    .slice(0, 40);
  return name || "customers";
}

/** The kind that a column is shown with: the chosen one, "leave out" where it is not in the model, or the one of the draft. */
export function kindOf(column: Schemas["ColumnOfFile"], chosen: Kind | undefined): Kind {
  if (chosen) return chosen;
  if (column.use !== "feature") return "leave out";
  return KINDS.some(([kind]) => kind === column.kind) ? (column.kind as Kind) : "leave out";
}

/** All words with what they mean, when one of them is corrected: the others keep what the draft took them for. */
export function wordsWith(draft: Draft, value: string, means: Meaning): Record<string, Meaning> {
  const words: Record<string, Meaning> = {};
  for (const word of draft.outcomes) if (word.means !== "unreadable") words[word.value] = word.means;
  return { ...words, [value]: means };
}
