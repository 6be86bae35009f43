import { Component, type ComponentChildren } from "preact";
import { Forbidden, NotFound, RateLimited, type RetainStreamError, Unavailable } from "../../../client/api-client.js";
import { type Loaded, refusal } from "../loading";

/** A spinner with the name of the work in progress. */
export function Waiting({ what = "Loading" }: { what?: string }) {
  return (
    <p class="waiting" role="status">
      <span class="spinner" aria-hidden="true" />
      {what}…
    </p>
  );
}

/** Grey lines in the place of the coming content. */
export function Skeleton({ lines = 4 }: { lines?: number }) {
  return (
    <div class="skeleton" role="status" aria-label="Loading">
      {Array.from({ length: lines }, (_, line) => (
        <span key={line} style={{ width: `${92 - ((line * 17) % 40)}%` }} />
      ))}
    </div>
  );
}

/** An empty list or page; `children` give the reason and the next step. */
export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <h3>{title}</h3>
      <div>{children}</div>
    </div>
  );
}

/** A failed request: its reason and the next step. */
export function Failure({ error, retry }: { error: RetainStreamError; retry?: () => void }) {
  return (
    <div class="failure" role="alert">
      <h3>{headline(error)}</h3>
      <p>{error.message}</p>
      <FieldErrors error={error} />
      {error.retryAfter ? <p>Try again in {waitOf(error.retryAfter)}.</p> : null}
      {error.requestId ? <p class="quiet">Request {error.requestId}</p> : null}
      {retry && !(error instanceof Forbidden) ? (
        <button type="button" onClick={retry}>
          Try again
        </button>
      ) : null}
    </div>
  );
}

/** The fields that the API refused, with its reasons. */
export function FieldErrors({ error }: { error: RetainStreamError }) {
  if (!error.errors.length) return null;
  return (
    <ul>
      {error.errors.map(({ field, detail }) => (
        <li key={field + detail}>
          <b>{field}</b>: {detail}
        </li>
      ))}
    </ul>
  );
}

function headline(error: RetainStreamError): string {
  if (error instanceof Forbidden) return "Your role does not allow this";
  if (error instanceof NotFound) return "Not found";
  if (error instanceof RateLimited) return "Too many requests";
  if (error instanceof Unavailable && error.status >= 500) return "RetainStream is unavailable";
  return error.title || "The request failed";
}

function waitOf(seconds: number): string {
  return seconds < 90 ? `${Math.ceil(seconds)} seconds` : `${Math.ceil(seconds / 60)} minutes`;
}

/** Replaces a page that could not be loaded. */
export function NotLoaded() {
  return (
    <div class="failure" role="alert">
      <h3>This page could not be loaded</h3>
      <p>The connection may be down, or a newer version has been published.</p>
      <button type="button" onClick={() => location.reload()}>
        Try again
      </button>
    </div>
  );
}

interface ShowProps<T> {
  of: Loaded<T>;
  lines?: number;
  children: (data: T) => ComponentChildren;
}

/** The loaded data, or the state of loading. Earlier data stay in sight, dimmed, while new data load. */
export function Show<T>({ of, lines, children }: ShowProps<T>) {
  const { loading, reload } = of;
  if (loading.state === "failed") return <Failure error={loading.error} retry={reload} />;
  if (loading.data === undefined) return <Skeleton lines={lines} />;
  return (
    <div class={loading.state === "loading" ? "stale" : undefined} aria-busy={loading.state === "loading"}>
      {children(loading.data)}
    </div>
  );
}

/** Replaces a page that throws with its error. */
export class Crash extends Component<{ children: ComponentChildren }, { error: unknown }> {
  override state = { error: undefined as unknown };

  static override getDerivedStateFromError(error: unknown) {
    return { error };
  }

  override render() {
    if (this.state.error === undefined) return this.props.children;
    return <Failure error={refusal(this.state.error)} retry={() => location.reload()} />;
  }
}
