/**
 * Ends early when the signal says so.
 * @param {number} milliseconds @param {AbortSignal} [signal] @returns {Promise<void>}
 */
export function pauseFor(milliseconds: number, signal?: AbortSignal): Promise<void>;
/** What the API refused, and why: the problem document of the answer. `status` is 0 when there was no answer. */
export class RetainStreamError extends Error {
    /**
     * @param {{status: number, type?: string, title?: string, detail?: string, errors?: FieldError[], request_id?: string}} problem
     * @param {number | null} [retryAfter] seconds after which the same request may succeed
     * @param {unknown} [cause]
     */
    constructor(problem: {
        status: number;
        type?: string;
        title?: string;
        detail?: string;
        errors?: FieldError[];
        request_id?: string;
    }, retryAfter?: number | null, cause?: unknown);
    status: number;
    type: string;
    title: string;
    detail: string;
    /** @type {FieldError[]} */
    errors: FieldError[];
    requestId: string;
    retryAfter: number | null;
}
/** 400, 413, 415 or 422: the request is at fault; `errors` names the fields. */
export class InvalidRequest extends RetainStreamError {
}
/** 401: no token, or one the API no longer takes. */
export class NotSignedIn extends RetainStreamError {
}
/** 403: the role does not allow it. */
export class Forbidden extends RetainStreamError {
}
/** 404 */
export class NotFound extends RetainStreamError {
}
/** 409: it does not fit what is stored now. */
export class Conflict extends RetainStreamError {
}
/** 429: too many requests; `retryAfter` says when to come again. */
export class RateLimited extends RetainStreamError {
}
/** 5xx, or no answer at all. */
export class Unavailable extends RetainStreamError {
}
/** Sends requests in the name of whoever is signed in. */
export class Requests {
    /**
     * @param {string} baseUrl where the API is, without `/api`
     * @param {Options} options
     */
    constructor(baseUrl: string, options: Options);
    /** @param {string | null} token */
    setToken(token: string | null): void;
    get signedIn(): boolean;
    /** @param {number} milliseconds @param {AbortSignal} [signal] ends the pause early, without an error */
    pause(milliseconds: number, signal?: AbortSignal): Promise<void>;
    /**
     * One request to any route. It is repeated, with growing pauses or as `Retry-After` says, when that cannot double an effect.
     * @param {string} path beginning with /api
     * @param {Request} [request]
     * @returns {Promise<any>} `{data, page}`; `{data: null}` when the answer has no body
     * @throws {RetainStreamError}
     */
    send(path: string, request?: Request): Promise<any>;
    #private;
}
export type FieldError = {
    field: string;
    detail: string;
};
export type Options = {
    /**
     * a token of an earlier sign-in
     */
    token?: string | undefined;
    /**
     * how often a request that may be repeated is repeated; 3 unless told
     */
    retries?: number | undefined;
    /**
     * milliseconds until one attempt is given up; 30,000 unless told
     */
    timeout?: number | undefined;
    /**
     * another fetch
     */
    fetch?: typeof fetch | undefined;
    /**
     * milliseconds; where the API asks for a longer pause, its refusal is thrown at once; 30,000 unless told
     */
    longestWait?: number | undefined;
    /**
     * another way to wait
     */
    wait?: ((milliseconds: number, signal?: AbortSignal) => Promise<void>) | undefined;
    /**
     * told when the API no longer takes the token
     */
    onSignedOut?: ((error: RetainStreamError) => void) | undefined;
};
export type Request = {
    method?: string;
    query?: Record<string, unknown>;
    body?: unknown;
    headers?: Record<string, string>;
    signal?: AbortSignal;
    repeatable?: boolean;
};
