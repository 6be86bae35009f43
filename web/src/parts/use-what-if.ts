import { useEffect, useState } from "preact/hooks";
import type { RetainStreamError, Schemas } from "../../../client/api-client.js";
import { refusal } from "../loading";
import { api } from "../session";
import type { Features } from "./schema";

export interface WhatIf {
  /** The latest answer; null before the first change. */
  answer: Schemas["WhatIfView"] | null;
  busy: boolean;
  error: RetainStreamError | null;
}

const PAUSE_MILLISECONDS = 180;

/** Scores the customer again shortly after the last change; answers to earlier changes are ignored. */
export function useWhatIf(customerId: string, changes: Features): WhatIf {
  const [state, setState] = useState<WhatIf>({ answer: null, busy: false, error: null });
  const key = JSON.stringify(changes);
  useEffect(() => {
    if (Object.keys(changes).length === 0) {
      setState({ answer: null, busy: false, error: null });
      return;
    }
    const stop = new AbortController();
    setState((before) => ({ ...before, busy: true }));
    const timer = setTimeout(() => {
      api.whatIf({ customer_id: customerId, changes }, { signal: stop.signal }).then(
        ({ data }) => !stop.signal.aborted && setState({ answer: data, busy: false, error: null }),
        (error: unknown) =>
          !stop.signal.aborted && setState((before) => ({ ...before, busy: false, error: refusal(error) })),
      );
    }, PAUSE_MILLISECONDS);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [customerId, key]);
  return state;
}
