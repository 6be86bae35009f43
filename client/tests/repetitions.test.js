/** Repetitions: the requests that are repeated, their pauses, and the requests that are never repeated. */
import assert from "node:assert/strict";
import { test } from "node:test";
import RetainStreamAPI, { Conflict, RateLimited, Unavailable } from "../api-client.js";
import { FakeApi, problem } from "./fake-api.js";

/** A client that records its pauses instead of waiting. */
function recording(/** @type {FakeApi} */ fake, options = {}) {
  /** @type {number[]} */
  const pauses = [];
  const wait = async (/** @type {number} */ milliseconds) => void pauses.push(milliseconds);
  return { api: new RetainStreamAPI(fake.url, { wait, ...options }), pauses };
}

const HEALTHY = { body: { data: { status: "ok" } } };

for (const status of [429, 502, 503, 504])
  test(`a GET answered ${status} is sent again, with growing pauses`, async (t) => {
    const fake = await FakeApi.for(t);
    fake.answers = [problem(status), problem(status), HEALTHY];
    const { api, pauses } = recording(fake);
    assert.deepEqual((await api.health()).data, { status: "ok" });
    assert.equal(fake.requests.length, 3);
    assert.ok(pauses[0] >= 250 && pauses[0] <= 750, `${pauses[0]}`);
    assert.ok(pauses[1] >= 500 && pauses[1] <= 1500, `${pauses[1]}`);
  });

test("a lost connection is tried again", async (t) => {
  const fake = await FakeApi.for(t);
  fake.answers = [{ cut: true }, HEALTHY];
  assert.equal((await recording(fake).api.health()).data.status, "ok");
});

test("Retry-After is followed, in seconds and as a date", async (t) => {
  const fake = await FakeApi.for(t);
  const date = new Date(Date.now() + 20_000).toUTCString();
  fake.answers = [
    { ...problem(503), headers: { "retry-after": "7" } },
    { ...problem(429), headers: { "retry-after": date } },
    { ...problem(503), headers: { "retry-after": "0" } },
    HEALTHY,
  ];
  const { api, pauses } = recording(fake);
  await api.health();
  assert.equal(pauses[0], 7000);
  assert.ok(pauses[1] > 15_000 && pauses[1] <= 20_000, `${pauses[1]}`);
  assert.equal(pauses[2], 0);
});

test("a pause longer than longestWait is an error that has the pause", async (t) => {
  const fake = await FakeApi.for(t);
  fake.answers = [{ ...problem(429), headers: { "retry-after": "12" } }];
  const { api, pauses } = recording(fake, { longestWait: 3000 });
  await assert.rejects(api.health(), (error) => error instanceof RateLimited && error.retryAfter === 12);
  assert.deepEqual([fake.requests.length, pauses.length], [1, 0]);
});

test("after the last repetition the refusal is thrown", async (t) => {
  const fake = await FakeApi.for(t);
  fake.answers = [problem(503)];
  await assert.rejects(recording(fake, { retries: 2 }).api.health(), Unavailable);
  assert.equal(fake.requests.length, 3);
});

for (const answer of [problem(503), problem(504), problem(500), { cut: true }])
  test(`a POST that may have had its effect is not sent again: ${answer.cut ? "no answer" : answer.status}`, async (t) => {
    const fake = await FakeApi.for(t);
    fake.answers = [answer];
    const { api } = recording(fake);
    for (const act of [
      () => api.login("a@example.org", "x"),
      () => api.addUser({ email: "a@example.org", password: "x" }),
      () => api.changeUser({ email: "a@example.org", role: "admin" }),
      () => api.runPredictions(10),
    ]) {
      fake.requests = [];
      await assert.rejects(act, Unavailable);
      assert.equal(fake.requests.length, 1);
    }
  });

test("a POST refused by the rate limit had no effect and is sent again", async (t) => {
  const fake = await FakeApi.for(t);
  fake.answers = [problem(429), { body: { data: { version: "v" } } }];
  await recording(fake).api.runPredictions(10);
  assert.equal(fake.requests.length, 2);
});

test("a rollback with a lost answer is repeated with its key, and so not undone", async (t) => {
  const fake = await FakeApi.for(t);
  fake.answers = [{ cut: true }, problem(503), { body: { data: { version: "v" } } }];
  await recording(fake).api.rollback();
  const keys = fake.requests.map(({ headers }) => headers["idempotency-key"]);
  assert.deepEqual([keys.length, new Set(keys).size], [3, 1]);
});

test("the repetitions of a run have the same key, and another run has another key", async (t) => {
  const fake = await FakeApi.for(t);
  fake.answers = [problem(503), { cut: true }, problem(429), { body: { data: { run_id: "r" } } }];
  const { api } = recording(fake);
  await api.trainModel();
  const keys = fake.requests.map(({ headers }) => headers["idempotency-key"]);
  assert.equal(keys.length, 4);
  assert.match(String(keys[0]), /^[0-9a-f-]{36}$/);
  assert.equal(new Set(keys).size, 1);
  await api.generatePredictions(/** @type {any} */ ({ all: true }));
  assert.notEqual(fake.requests.at(-1)?.headers["idempotency-key"], keys[0]);
});

test("idempotent requests are repeated: outcomes, promotions, segments, what-ifs, PUT and DELETE", async (t) => {
  const fake = await FakeApi.for(t);
  const { api } = recording(fake);
  for (const act of [
    () => api.recordOutcome("c", true),
    () => api.promote("v"),
    () => api.segmentCustomers(),
    () => api.whatIf(/** @type {any} */ ({ customer_id: "c", changes: {} })),
    () => api.putCustomer("c", {}),
    () => api.deleteCustomer("c"),
  ]) {
    fake.requests = [];
    fake.answers = [problem(503), HEALTHY];
    await act();
    assert.equal(fake.requests.length, 2);
  }
});

for (const status of [400, 401, 403, 404, 409, 422, 500])
  test(`${status} is final`, async (t) => {
    const fake = await FakeApi.for(t);
    fake.answers = [problem(status)];
    await assert.rejects(recording(fake).api.health());
    assert.equal(fake.requests.length, 1);
  });

test("an aborted request throws the reason of the abort, and is not repeated", async (t) => {
  const fake = await FakeApi.for(t);
  fake.answers = [{ silent: true }];
  const stop = new AbortController();
  const sent = new RetainStreamAPI(fake.url).request("/api/health", { signal: stop.signal });
  setTimeout(() => stop.abort(new Error("no longer wanted")), 50);
  await assert.rejects(sent, /no longer wanted/);
  assert.equal(fake.requests.length, 1);
});

test("an abort ends a pause between two attempts", async (t) => {
  const fake = await FakeApi.for(t);
  fake.answers = [{ ...problem(503), headers: { "retry-after": "20" } }];
  const stop = new AbortController();
  const sent = new RetainStreamAPI(fake.url).request("/api/health", { signal: stop.signal });
  while (!fake.requests.length) await new Promise((resolve) => setTimeout(resolve, 5));
  setTimeout(() => stop.abort(new Error("no longer wanted")), 50);
  await assert.rejects(sent, /no longer wanted/);
  assert.equal(fake.requests.length, 1);
});

test("an API that does not answer in time counts as unavailable", async (t) => {
  const fake = await FakeApi.for(t);
  fake.answers = [{ silent: true }];
  const { api } = recording(fake, { timeout: 40, retries: 1 });
  await assert.rejects(api.health(), (error) => error instanceof Unavailable && error.status === 0);
  assert.equal(fake.requests.length, 2);
});

test("a conflict between two repetitions is thrown as a conflict", async (t) => {
  const fake = await FakeApi.for(t);
  fake.answers = [problem(503), problem(409)];
  await assert.rejects(recording(fake).api.trainModel(), Conflict);
});
