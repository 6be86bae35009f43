/**
 * A pause that an aborted signal ends.
 * @param {number} milliseconds @param {AbortSignal} [signal] @returns {Promise<void>}
 */
export function pauseFor(milliseconds: number, signal?: AbortSignal): Promise<void>;
/** A refusal of the API, with the fields of its problem document. `status` is 0 without an answer. */
export class RetainStreamError extends Error {
    /**
     * @param {{status: number, type?: string, title?: string, detail?: string, errors?: FieldError[], request_id?: string}} problem
     * @param {number | null} [retryAfter] seconds until the same request may succeed
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
/** 400, 413, 415 or 422: the request is invalid; `errors` lists the fields. */
export class InvalidRequest extends RetainStreamError {
}
/** 401: the token is missing or no longer valid. */
export class NotSignedIn extends RetainStreamError {
}
/** 403: the role does not allow the request. */
export class Forbidden extends RetainStreamError {
}
/** 404: the resource does not exist. */
export class NotFound extends RetainStreamError {
}
/** 409: the request conflicts with the stored state. */
export class Conflict extends RetainStreamError {
}
/** 429: too many requests; `retryAfter` is the pause in seconds. */
export class RateLimited extends RetainStreamError {
}
/** 5xx, or no answer. */
export class Unavailable extends RetainStreamError {
}
/** Sends requests with the token of the person signed in. */
export class Requests {
    /**
     * @param {string} baseUrl the origin of the API, without `/api`
     * @param {Options} options
     */
    constructor(baseUrl: string, options: Options);
    /** @param {string | null} token */
    setToken(token: string | null): void;
    get signedIn(): boolean;
    /** @param {number} milliseconds @param {AbortSignal} [signal] ends the pause, without an error */
    pause(milliseconds: number, signal?: AbortSignal): Promise<void>;
    /**
     * A request to any route. It is repeated after growing pauses, or after `Retry-After`, when a repetition cannot double an effect.
     * @param {string} path starting with /api
     * @param {Request} [request]
     * @returns {Promise<any>} `{data, page}`; `{data: null}` for an answer without a body
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
     * a token from an earlier sign-in
     */
    token?: string | undefined;
    /**
     * the maximum number of repetitions of a repeatable request; default 3
     */
    retries?: number | undefined;
    /**
     * time limit of an attempt in milliseconds; default 30,000
     */
    timeout?: number | undefined;
    /**
     * replaces the platform's fetch
     */
    fetch?: typeof fetch | undefined;
    /**
     * longest pause before a repetition in milliseconds; for a longer `Retry-After`, the refusal is thrown at once; default 30,000
     */
    longestWait?: number | undefined;
    /**
     * replaces the timer of pauses
     */
    wait?: ((milliseconds: number, signal?: AbortSignal) => Promise<void>) | undefined;
    /**
     * called when the API refuses the token
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
