/** What an import says of rejected rows, and of cells that could not be read. */
import type { Schemas } from "../../../client/api-client.js";

type Kind = Pick<Schemas["Reject"], "column" | "reason"> & { value?: string | undefined };

/** Stands for the rarer values of a column together. */
const RARER = "…";

/** As in `plan: “Gold Plus” is new`. */
export function kindInWords({ column, value, reason }: Kind): string {
  const quoted = value === RARER ? "rarer values, each of which " : value ? `“${value}” ` : "";
  return `${column ? `${column}: ` : ""}${quoted}${reason}`;
}

/** The end of an import, for the list of imports. */
export function statusInWords(status: Schemas["ImportView"]["status"]): string {
  return status === "SUCCEEDED_WITH_REJECTS" ? "most rows rejected" : status.toLowerCase();
}
