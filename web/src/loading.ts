/** What a page asks of the API: loading, then its data or what went wrong. */
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { RetainStreamError, Unavailable } from "../../client/api-client.js";

export type Loading<T> =
  | { state: "loading"; data: T | undefined }
  | { state: "ready"; data: T }
  | { state: "failed"; data: T | undefined; error: RetainStreamError };

export interface Loaded<T> {
  loading: Loading<T>;
  reload: () => void;
}

/** Load whenever one of `inputs` changes; an answer to earlier inputs is thrown away, earlier data stay until there are new ones. */
export function useLoaded<T>(load: () => Promise<T>, inputs: readonly unknown[]): Loaded<T> {
  const [loading, setLoading] = useState<Loading<T>>({ state: "loading", data: undefined });
  const [turn, setTurn] = useState(0);
  const latest = useRef(load);
  latest.current = load;
  const key = JSON.stringify(inputs);
  useEffect(() => {
    let wanted = true;
    setLoading((before) => ({ state: "loading", data: before.data }));
    latest.current().then(
      (data) => wanted && setLoading({ state: "ready", data }),
      (error: unknown) =>
        wanted && setLoading((before) => ({ state: "failed", data: before.data, error: refusal(error) })),
    );
    return () => {
      wanted = false;
    };
  }, [key, turn]);
  return { loading, reload: useCallback(() => setTurn((now) => now + 1), []) };
}

/** Call again after `seconds` as long as `wanted`. */
export function useRepeated(repeat: () => void, seconds: number, wanted: boolean): void {
  const latest = useRef(repeat);
  latest.current = repeat;
  useEffect(() => {
    if (!wanted) return;
    const timer = setInterval(() => document.visibilityState === "visible" && latest.current(), seconds * 1000);
    return () => clearInterval(timer);
  }, [seconds, wanted]);
}

/** An action the person starts: whether it is under way, and what went wrong the last time. */
export function useAction<A extends unknown[]>(act: (...input: A) => Promise<unknown>) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<RetainStreamError | null>(null);
  const run = async (...input: A): Promise<boolean> => {
    setBusy(true);
    setError(null);
    try {
      await act(...input);
      return true;
    } catch (thrown) {
      setError(refusal(thrown));
      return false;
    } finally {
      setBusy(false);
    }
  };
  return { busy, error, run, clear: () => setError(null) };
}

export function refusal(error: unknown): RetainStreamError {
  if (error instanceof RetainStreamError) return error;
  return new Unavailable({ status: 0, title: "Something went wrong", detail: String(error) }, null, error);
}
