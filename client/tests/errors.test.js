/** Every refusal becomes an error of the matching class, with the API's text. */
import assert from "node:assert/strict";
import { test } from "node:test";
import RetainStreamAPI, {
  Conflict,
  Forbidden,
  InvalidRequest,
  NotFound,
  NotSignedIn,
  RateLimited,
  RetainStreamError,
  Unavailable,
} from "../api-client.js";
import { FakeApi, problem } from "./fake-api.js";

/** @type {[number, typeof RetainStreamError][]} */
const KINDS = [
  [400, InvalidRequest],
  [401, NotSignedIn],
  [403, Forbidden],
  [404, NotFound],
  [409, Conflict],
  [413, InvalidRequest],
  [415, InvalidRequest],
  [418, RetainStreamError],
  [422, InvalidRequest],
  [429, RateLimited],
  [500, Unavailable],
  [501, Unavailable],
  [503, Unavailable],
];

for (const [status, Kind] of KINDS)
  test(`${status} is ${Kind.name}`, async (t) => {
    const fake = await FakeApi.for(t);
    const errors = [{ field: "body.email", detail: "is not an address" }];
    fake.answers = [{ ...problem(status, { errors }), headers: { "retry-after": "5" } }];
    await assert.rejects(new RetainStreamAPI(fake.url, { retries: 0 }).health(), (error) => {
      assert.ok(error instanceof RetainStreamError);
      assert.equal(error.constructor, Kind);
      assert.equal(error.name, Kind.name);
      assert.equal(error.message, `Detail ${status}`);
      assert.deepEqual(
        [error.status, error.title, error.errors, error.requestId, error.retryAfter],
        [status, `Title ${status}`, errors, "r-1", 5],
      );
      return true;
    });
  });

for (const [name, body] of Object.entries({
  "a page of HTML": "<html>Bad gateway</html>",
  nothing: "",
  "half a document": '{"detail": "cut',
  "a JSON list": "[1, 2]",
  "a JSON text": '"no"',
  "a document of another service": '{"status": "error", "errors": "many"}',
}))
  test(`502 with ${name} as its body is an error with status 502`, async (t) => {
    const fake = await FakeApi.for(t);
    fake.answers = [{ status: 502, body }];
    await assert.rejects(new RetainStreamAPI(fake.url, { retries: 0 }).health(), (error) => {
      assert.ok(error instanceof Unavailable);
      assert.deepEqual([error.status, error.message, error.errors], [502, "The API answered 502.", []]);
      return true;
    });
  });

test("an answer of 200 without JSON is an error", async (t) => {
  const fake = await FakeApi.for(t);
  fake.answers = [{ status: 200, body: "<html>Sign in to the network</html>" }];
  await assert.rejects(new RetainStreamAPI(fake.url).health(), Unavailable);
});

test("an answer without a body has no data", async (t) => {
  const fake = await FakeApi.for(t);
  fake.answers = [{ status: 204, body: "" }];
  assert.deepEqual(await new RetainStreamAPI(fake.url).deleteCustomer("c"), { data: null });
});

test("a missing server is unavailable, with the cause", async () => {
  await assert.rejects(new RetainStreamAPI("http://127.0.0.1:1", { retries: 0 }).health(), (error) => {
    assert.ok(error instanceof Unavailable && error.status === 0 && error.cause instanceof Error);
    return true;
  });
});

test("a refused token calls onSignedOut; a wrong password does not", async (t) => {
  const fake = await FakeApi.for(t);
  fake.answers = [problem(401)];
  let calls = 0;
  const api = new RetainStreamAPI(fake.url, { onSignedOut: () => calls++ });
  await assert.rejects(api.login("a@example.org", "wrong"), NotSignedIn);
  assert.equal(calls, 0);
  api.setToken("old");
  await assert.rejects(api.getMe(), NotSignedIn);
  assert.equal(calls, 1);
});
