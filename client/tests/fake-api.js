/** An HTTP server that answers what a test tells it to, and remembers what it was asked. */
import { createServer } from "node:http";

/**
 * @typedef {{method: string, path: string, query: Record<string, string>, headers: import("node:http").IncomingHttpHeaders, body: string}} Asked
 * @typedef {{status?: number, headers?: Record<string, string>, body?: unknown, cut?: boolean, silent?: boolean}} Told
 */

/** Answers are taken from `told` in turn, the last one again and again; a function makes its own from what is asked. */
export class FakeApi {
  /** @type {Asked[]} */
  asked = [];
  /** @type {(Told | ((asked: Asked) => Told))[]} */
  told = [{}];
  url = "";

  #server = createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? "/", this.url);
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const asked = {
      method: request.method ?? "",
      path: pathname,
      query: Object.fromEntries(searchParams),
      headers: request.headers,
      body: Buffer.concat(chunks).toString(),
    };
    this.asked.push(asked);
    const next = (this.told.length > 1 ? this.told.shift() : this.told[0]) ?? {};
    const {
      status = 200,
      headers = {},
      body = { data: null },
      cut,
      silent,
    } = typeof next === "function" ? next(asked) : next;
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
