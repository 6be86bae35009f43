/** A page's request to the API: its state, then its data or its error. */
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

/** Loads whenever one of `inputs` changes. Answers to earlier inputs are ignored; earlier data stay until new data arrive. */
export function useLoaded<T>(load: () => Promise<T>, inputs: readonly unknown[]): Loaded<T> {
  const [loading, setLoading] = useState<Loading<T>>({ state: "loading", data: undefined });
  const [turn, setTurn] = useState(0);
  const latest = useRef(load);
  latest.current = load;
  const key = JSON.stringify(inputs);
  useEffect(() => {
    let current = true;
    setLoading((before) => ({ state: "loading", data: before.data }));
    latest.current().then(
      (data) => current && setLoading({ state: "ready", data }),
      (error: unknown) =>
        current && setLoading((before) => ({ state: "failed", data: before.data, error: refusal(error) })),
    );
    return () => {
      current = false;
    };
  }, [key, turn]);
  return { loading, reload: useCallback(() => setTurn((now) => now + 1), []) };
}

/** Calls `repeat` every `seconds` as long as `active`. */
export function useRepeated(repeat: () => void, seconds: number, active: boolean): void {
  const latest = useRef(repeat);
  latest.current = repeat;
  useEffect(() => {
    if (!active) return;
    const timer = setInterval(() => document.visibilityState === "visible" && latest.current(), seconds * 1000);
    return () => clearInterval(timer);
  }, [seconds, active]);
}

/** An action that a person starts: whether it is running, and the error of the last time. */
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
