import { type Loaded, useLoaded } from "../loading";
import { api } from "../session";
import type { FeatureSchema } from "./schema";

/** The feature schema of the model in service. */
export function useSchema(): Loaded<FeatureSchema> {
  return useLoaded(async () => (await api.getSchema()).data, []);
}
