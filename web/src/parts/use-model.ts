import { NotFound, type Schemas } from "../../../client/api-client.js";
import { type Loaded, useLoaded } from "../loading";
import { api } from "../session";

/** The model in service; null without a model. */
export function useModel(): Loaded<Schemas["VersionView"] | null> {
  return useLoaded(async () => {
    try {
      return (await api.getModelStatus()).data.model;
    } catch (error) {
      if (error instanceof NotFound) return null;
      throw error;
    }
  }, []);
}
