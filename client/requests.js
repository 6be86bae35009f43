/**
 * One request at a time: its token, its time limit, its repetitions, and the errors that problem documents become.
 */

/** @typedef {{field: string, detail: string}} FieldError */
/**
 * @typedef {object} Options
 * @property {string} [token] a token of an earlier sign-in
 * @property {number} [retries] how often a request that may be repeated is repeated; 3 unless told
 * @property {number} [timeout] milliseconds until one attempt is given up; 30,000 unless told
 * @property {typeof fetch} [fetch] another fetch
 * @property {number} [longestWait] milliseconds; where the API asks for a longer pause, its refusal is thrown at once; 30,000 unless told
 * @property {(milliseconds: number, signal?: AbortSignal) => Promise<void>} [wait] another way to wait
 * @property {(error: RetainStreamError) => void} [onSignedOut] told when the API no longer takes the token
 */
/** @typedef {{method?: string, query?: Record<string, unknown>, body?: unknown, headers?: Record<string, string>, signal?: AbortSignal, repeatable?: boolean}} Request */

const RETRIED = new Set([429, 502, 503, 504]);

/** What the API refused, and why: the problem document of the answer. `status` is 0 when there was no answer. */
export class RetainStreamError extends Error {
  /**
   * @param {{status: number, type?: string, title?: string, detail?: string, errors?: FieldError[], request_id?: string}} problem
   * @param {number | null} [retryAfter] seconds after which the same request may succeed
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
/** 400, 413, 415 or 422: the request is at fault; `errors` names the fields. */
export class InvalidRequest extends RetainStreamError {}
/** 401: no token, or one the API no longer takes. */
export class NotSignedIn extends RetainStreamError {}
/** 403: the role does not allow it. */
export class Forbidden extends RetainStreamError {}
/** 404 */
export class NotFound extends RetainStreamError {}
/** 409: it does not fit what is stored now. */
export class Conflict extends RetainStreamError {}
/** 429: too many requests; `retryAfter` says when to come again. */
export class RateLimited extends RetainStreamError {}
/** 5xx, or no answer at all. */
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

/** Sends requests in the name of whoever is signed in. */
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
   * @param {string} baseUrl where the API is, without `/api`
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

  /** @param {number} milliseconds @param {AbortSignal} [signal] ends the pause early, without an error */
  pause(milliseconds, signal) {
    return this.#wait(milliseconds, signal);
  }

  /**
   * One request to any route. It is repeated, with growing pauses or as `Retry-After` says, when that cannot double an effect.
   * @param {string} path beginning with /api
   * @param {Request} [request]
   * @returns {Promise<any>} `{data, page}`; `{data: null}` when the answer has no body
   * @throws {RetainStreamError}
   */
  async send(path, request = {}) {
    const method = request.method ?? "GET";
    const repeatable = request.repeatable ?? (method !== "POST" && method !== "PATCH");
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.#once(path, method, request);
      } catch (error) {
        if (!(error instanceof RetainStreamError) || request.signal?.aborted || attempt >= this.#retries) throw error;
        const unheard = error.status === 429;
        if (!unheard && !(repeatable && (error.status === 0 || RETRIED.has(error.status)))) throw error;
        const pause = error.retryAfter === null ? (0.5 + Math.random()) * 500 * 2 ** attempt : error.retryAfter * 1000;
        if (pause > this.#longestWait) throw error;
        await this.#wait(pause, request.signal);
        request.signal?.throwIfAborted();
      }
    }
  }

  /** @param {string} path @param {string} method @param {Request} request */
  async #once(path, method, request) {
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
        { status: 0, title: "No answer", detail: "The API did not answer. Is it running, and can it be reached?" },
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
 * Ends early when the signal says so.
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

/** @param {Record<string, unknown>} [query] what is undefined, null or empty is left out */
function queryOf(query = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== "");
  return given.length ? `?${new URLSearchParams(given.map(([name, value]) => [name, String(value)]))}` : "";
}

/** @param {string} text @returns {any} undefined when it is not JSON, null when it is empty */
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
