/** An HTTP server with the answers of a test; it keeps the requests it receives. */
import { createServer } from "node:http";

/**
 * @typedef {{method: string, path: string, query: Record<string, string>, headers: import("node:http").IncomingHttpHeaders, body: string}} ReceivedRequest
 * @typedef {{status?: number, headers?: Record<string, string>, body?: unknown, cut?: boolean, silent?: boolean}} Answer
 */

/** Gives its `answers` in turn, and then the last answer again and again; a function makes an answer from the request. */
export class FakeApi {
  /** @type {ReceivedRequest[]} */
  requests = [];
  /** @type {(Answer | ((request: ReceivedRequest) => Answer))[]} */
  answers = [{}];
  url = "";

  #server = createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? "/", this.url);
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const received = {
      method: request.method ?? "",
      path: pathname,
      query: Object.fromEntries(searchParams),
      headers: request.headers,
      body: Buffer.concat(chunks).toString(),
    };
    this.requests.push(received);
    const next = (this.answers.length > 1 ? this.answers.shift() : this.answers[0]) ?? {};
    const {
      status = 200,
      headers = {},
      body = { data: null },
      cut,
      silent,
    } = typeof next === "function" ? next(received) : next;
    if (silent) return;
    if (cut) {
      request.socket.destroy();
      return;
    }
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(typeof body === "string" ? body : JSON.stringify(body));
  });

  /** @param {import("node:test").TestContext} test */
  static async for(test) {
    const api = new FakeApi();
    await new Promise((resolve) => api.#server.listen(0, "127.0.0.1", () => resolve(undefined)));
    const { port } = /** @type {import("node:net").AddressInfo} */ (api.#server.address());
    api.url = `http://127.0.0.1:${port}`;
    test.after(() => {
      api.#server.closeAllConnections();
      api.#server.close();
    });
    return api;
  }
}

/** @param {number} status @param {object} [more] */
export const problem = (status, more = {}) => ({
  status,
  headers: { "content-type": "application/problem+json" },
  body: {
    type: `https://retainstream.dev/problems/${status}`,
    title: `Title ${status}`,
    status,
    detail: `Detail ${status}`,
    request_id: "r-1",
    ...more,
  },
});
