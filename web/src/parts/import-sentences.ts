/** What an import says of features that it did not take as they were. */
import type { Schemas } from "../../../client/api-client.js";
import { counted } from "../formats";

type Counts = Schemas["ImportCounts"];

export function importSentences(counts: Counts): string[] {
  const sentences = [];
  if (counts.after_leaving)
    sentences.push(
      `${counted(counts.after_leaving, "customer")} had left before the day of their features. Those features are not used for training.`,
    );
  if (counts.older_features)
    sentences.push(
      `${counted(counts.older_features, "row")} had features of an earlier day than the stored ones. They are kept for training only.`,
    );
  return sentences;
}
