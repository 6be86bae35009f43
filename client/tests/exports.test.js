/** Exports: the client waits for a large file; a small file is ready at once. */
import assert from "node:assert/strict";
import { test } from "node:test";
import RetainStreamAPI, { RetainStreamError } from "../api-client.js";
import { FakeApi } from "./fake-api.js";

const FILE = { url: "https://files.example/1", expires_at: "2026-11-21T09:15:00+00:00", rows: 7 };

/** @param {object} [more] */
function run(more = {}) {
  return { run_id: "e/1", status: "RUNNING", rows: 0, examined: 0, predictions: 9, url: null, reason: null, ...more };
}

/** @param {import("node:test").TestContext} t @param {import("./fake-api.js").Answer[]} answers */
async function waiting(t, answers) {
  const fake = await FakeApi.for(t);
  fake.answers = answers;
  /** @type {number[]} */
  const pauses = [];
  const wait = async (/** @type {number} */ milliseconds) => void pauses.push(milliseconds);
  return { fake, pauses, api: new RetainStreamAPI(fake.url, { wait }) };
}

test("the link to a small file is answered at once", async (t) => {
  const { fake, pauses, api } = await waiting(t, [{ body: { data: FILE } }]);
  assert.deepEqual((await api.exportPredictions({ level: "high" })).data, FILE);
  assert.deepEqual([fake.requests.length, pauses.length], [1, 0]);
});

test("a large file is polled with growing pauses, and its progress is reported", async (t) => {
  const done = run({ status: "SUCCEEDED", ...FILE });
  const { fake, pauses, api } = await waiting(t, [
    { status: 202, body: { data: run() } },
    { body: { data: run({ examined: 4 }) } },
    ...Array.from({ length: 8 }, () => ({ body: { data: run({ examined: 8 }) } })),
    { body: { data: done } },
  ]);
  /** @type {number[]} */
  const progress = [];
  const { data } = await api.exportPredictions({}, { onProgress: ({ examined }) => progress.push(examined) });
  assert.deepEqual(data, done);
  assert.deepEqual(
    new Set(fake.requests.slice(1).map(({ path }) => path)),
    new Set(["/api/predictions/exports/e%2F1"]),
  );
  assert.deepEqual(progress, [0, 4, 8, 8, 8, 8, 8, 8, 8, 8]);
  assert.deepEqual(
    pauses,
    [...pauses].sort((a, b) => a - b),
  );
  assert.deepEqual([pauses[0], pauses.at(-1)], [1000, 15_000]);
});

test("a run that is already finished has the link in its first answer", async (t) => {
  const { pauses, api } = await waiting(t, [{ status: 202, body: { data: run({ status: "SUCCEEDED", ...FILE }) } }]);
  assert.equal((await api.exportPredictions()).data.url, FILE.url);
  assert.equal(pauses.length, 0);
});

test("a run that fails is an error with its reason", async (t) => {
  const { api } = await waiting(t, [
    { status: 202, body: { data: run() } },
    { body: { data: run({ status: "FAILED", reason: "A step took longer than it may." }) } },
  ]);
  await assert.rejects(api.exportPredictions(), (error) => {
    return error instanceof RetainStreamError && error.message.includes("A step took longer than it may.");
  });
});

test("an aborted export sends no more requests", async (t) => {
  const stop = new AbortController();
  const { fake, api } = await waiting(t, [{ status: 202, body: { data: run() } }]);
  const onProgress = () => stop.abort(new Error("no longer wanted"));
  await assert.rejects(api.exportPredictions({}, { signal: stop.signal, onProgress }), /no longer wanted/);
  assert.equal(fake.requests.length, 1);
});
