import { Component, type ComponentChildren } from "preact";
import { Forbidden, NotFound, RateLimited, type RetainStreamError, Unavailable } from "../../../client/api-client.js";
import { type Loaded, refusal } from "../loading";

/** Something is being waited for. */
export function Waiting({ what = "Loading" }: { what?: string }) {
  return (
    <p class="waiting" role="status">
      <span class="spinner" aria-hidden="true" />
      {what} …
    </p>
  );
}

/** Grey lines in the place of what is coming. */
export function Skeleton({ lines = 4 }: { lines?: number }) {
  return (
    <div class="skeleton" role="status" aria-label="Loading">
      {Array.from({ length: lines }, (_, line) => (
        <span key={line} style={{ width: `${92 - ((line * 17) % 40)}%` }} />
      ))}
    </div>
  );
}

/** There is nothing to show; `children` say why, and what to do next. */
export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <h3>{title}</h3>
      <div>{children}</div>
    </div>
  );
}

/** The API refused or did not answer: what happened, and what to do next. */
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

/** Which fields the API refused, and why. */
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
  if (error instanceof Unavailable && error.status >= 500) return "RetainStream cannot answer now";
  return error.title || "This did not work";
}

function waitOf(seconds: number): string {
  return seconds < 90 ? `${Math.ceil(seconds)} seconds` : `${Math.ceil(seconds / 60)} minutes`;
}

/** In the place of a page that did not arrive. */
export function NotLoaded() {
  return (
    <div class="failure" role="alert">
      <h3>This page could not be loaded</h3>
      <p>There may be no connection now, or a newer version has been published.</p>
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

/** What was loaded, or the state it is in. Earlier data stay, dimmed, while new ones load. */
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

/** A page that broke shows what happened instead of nothing. */
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
