/**
 * Sends requests with token, time limit and repetitions, and turns problem documents into errors.
 */

/** @typedef {{field: string, detail: string}} FieldError */
/**
 * @typedef {object} Options
 * @property {string} [token] a token from an earlier sign-in
 * @property {number} [retries] the maximum number of repetitions of a repeatable request; default 3
 * @property {number} [timeout] time limit of an attempt in milliseconds; default 30,000
 * @property {typeof fetch} [fetch] replaces the platform's fetch
 * @property {number} [longestWait] longest pause before a repetition in milliseconds; for a longer `Retry-After`, the refusal is thrown at once; default 30,000
 * @property {(milliseconds: number, signal?: AbortSignal) => Promise<void>} [wait] replaces the timer of pauses
 * @property {(error: RetainStreamError) => void} [onSignedOut] called when the API refuses the token
 */
/** @typedef {{method?: string, query?: Record<string, unknown>, body?: unknown, headers?: Record<string, string>, signal?: AbortSignal, repeatable?: boolean}} Request */

const RETRIED = new Set([429, 502, 503, 504]);

/** A refusal of the API, with the fields of its problem document. `status` is 0 without an answer. */
export class RetainStreamError extends Error {
  /**
   * @param {{status: number, type?: string, title?: string, detail?: string, errors?: FieldError[], request_id?: string}} problem
   * @param {number | null} [retryAfter] seconds until the same request may succeed
   * @param {unknown} [cause]
   */
  constructor(problem, retryAfter = null, cause = undefined) {
    super(problem.detail || problem.title || `The API answered ${problem.status}.`, { cause });
    this.name = new.target.name;
    this.status = problem.status;
    this.type = problem.type ?? "about:blank";
    this.title = problem.title ?? "";
    this.detail = problem.detail ?? "";
    /** @type {FieldError[]} */
    this.errors = Array.isArray(problem.errors) ? problem.errors : [];
    this.requestId = problem.request_id ?? "";
    this.retryAfter = retryAfter;
  }
}
/** 400, 413, 415 or 422: the request is invalid; `errors` lists the fields. */
export class InvalidRequest extends RetainStreamError {}
/** 401: the token is missing or no longer valid. */
export class NotSignedIn extends RetainStreamError {}
/** 403: the role does not allow the request. */
export class Forbidden extends RetainStreamError {}
/** 404: the resource does not exist. */
export class NotFound extends RetainStreamError {}
/** 409: the request conflicts with the stored state. */
export class Conflict extends RetainStreamError {}
/** 429: too many requests; `retryAfter` is the pause in seconds. */
export class RateLimited extends RetainStreamError {}
/** 5xx, or no answer. */
export class Unavailable extends RetainStreamError {}

const KINDS = new Map([
  [400, InvalidRequest],
  [401, NotSignedIn],
  [403, Forbidden],
  [404, NotFound],
  [409, Conflict],
  [413, InvalidRequest],
  [415, InvalidRequest],
  [422, InvalidRequest],
  [429, RateLimited],
]);

/** Sends requests with the token of the person signed in. */
export class Requests {
  #base;
  #token;
  #retries;
  #timeout;
  #longestWait;
  #fetch;
  #wait;
  #onSignedOut;

  /**
   * @param {string} baseUrl the origin of the API, without `/api`
   * @param {Options} options
   */
  constructor(baseUrl, options) {
    this.#base = baseUrl.replace(/\/+$/, "").replace(/\/api$/, "");
    this.#token = options.token ?? null;
    this.#retries = options.retries ?? 3;
    this.#timeout = options.timeout ?? 30_000;
    this.#longestWait = options.longestWait ?? 30_000;
    this.#fetch = options.fetch ?? ((url, init) => globalThis.fetch(url, init));
    this.#wait = options.wait ?? pauseFor;
    this.#onSignedOut = options.onSignedOut ?? (() => {});
  }

  /** @param {string | null} token */
  setToken(token) {
    this.#token = token;
  }

  get signedIn() {
    return this.#token !== null;
  }

  /** @param {number} milliseconds @param {AbortSignal} [signal] ends the pause, without an error */
  pause(milliseconds, signal) {
    return this.#wait(milliseconds, signal);
  }

  /**
   * A request to any route. It is repeated after growing pauses, or after `Retry-After`, when a repetition cannot double an effect.
   * @param {string} path starting with /api
   * @param {Request} [request]
   * @returns {Promise<any>} `{data, page}`; `{data: null}` for an answer without a body
   * @throws {RetainStreamError}
   */
  async send(path, request = {}) {
    const method = request.method ?? "GET";
    const repeatable = request.repeatable ?? (method !== "POST" && method !== "PATCH");
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.#attempt(path, method, request);
      } catch (error) {
        if (!(error instanceof RetainStreamError) || request.signal?.aborted || attempt >= this.#retries) throw error;
        const refusedUnread = error.status === 429;
        if (!refusedUnread && !(repeatable && (error.status === 0 || RETRIED.has(error.status)))) throw error;
        const pause = error.retryAfter === null ? (0.5 + Math.random()) * 500 * 2 ** attempt : error.retryAfter * 1000;
        if (pause > this.#longestWait) throw error;
        await this.#wait(pause, request.signal);
        request.signal?.throwIfAborted();
      }
    }
  }

  /** @param {string} path @param {string} method @param {Request} request */
  async #attempt(path, method, request) {
    const limit = AbortSignal.timeout(this.#timeout);
    /** @type {Record<string, string>} */
    const headers = { Accept: "application/json", ...request.headers };
    if (this.#token) headers.Authorization = `Bearer ${this.#token}`;
    if (request.body !== undefined) headers["Content-Type"] = "application/json";
    let response;
    let text;
    try {
      response = await this.#fetch(this.#base + path + queryOf(request.query), {
        method,
        headers,
        body: request.body === undefined ? undefined : JSON.stringify(request.body),
        signal: request.signal ? AbortSignal.any([request.signal, limit]) : limit,
      });
      text = await response.text();
    } catch (error) {
      if (request.signal?.aborted) throw error;
      throw new Unavailable(
        { status: 0, title: "No answer", detail: "The API did not answer. Check that it is running and reachable." },
        null,
        error,
      );
    }
    const body = documentOf(text);
    if (response.ok && body !== undefined) return body ?? { data: null };
    const problem = { ...(body && typeof body === "object" ? body : {}), status: response.status };
    const Kind =
      KINDS.get(response.status) ?? (response.status >= 500 || response.ok ? Unavailable : RetainStreamError);
    const error = new Kind(problem, secondsOf(response.headers.get("Retry-After")));
    if (error instanceof NotSignedIn && this.#token) this.#onSignedOut(error);
    throw error;
  }
}

/**
 * A pause that an aborted signal ends.
 * @param {number} milliseconds @param {AbortSignal} [signal] @returns {Promise<void>}
 */
export function pauseFor(milliseconds, signal) {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    signal?.addEventListener("abort", end);
  });
}

/** @param {Record<string, unknown>} [query] undefined, null and empty values are left out */
function queryOf(query = {}) {
  const set = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== "");
  return set.length ? `?${new URLSearchParams(set.map(([name, value]) => [name, String(value)]))}` : "";
}

/** @param {string} text @returns {any} undefined for a text that is not JSON, null for an empty text */
function documentOf(text) {
  if (!text) return null;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** @param {string | null} retryAfter seconds or a date @returns {number | null} */
function secondsOf(retryAfter) {
  if (!retryAfter) return null;
  const seconds = /^\d+$/.test(retryAfter) ? Number(retryAfter) : (Date.parse(retryAfter) - Date.now()) / 1000;
  return Number.isFinite(seconds) ? Math.max(0, seconds) : null;
}
