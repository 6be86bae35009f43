/** A large file of predictions is waited for; a small one is there at once. */
import assert from "node:assert/strict";
import { test } from "node:test";
import RetainStreamAPI, { RetainStreamError } from "../api-client.js";
import { FakeApi } from "./fake-api.js";

const FILE = { url: "https://files.example/1", expires_at: "2026-11-21T09:15:00+00:00", rows: 7 };

/** @param {object} [more] */
function run(more = {}) {
  return { run_id: "e/1", status: "RUNNING", rows: 0, examined: 0, predictions: 9, url: null, reason: null, ...more };
}

/** @param {import("node:test").TestContext} t @param {import("./fake-api.js").Told[]} told */
async function waiting(t, told) {
  const fake = await FakeApi.for(t);
  fake.told = told;
  /** @type {number[]} */
  const pauses = [];
  const wait = async (/** @type {number} */ milliseconds) => void pauses.push(milliseconds);
  return { fake, pauses, api: new RetainStreamAPI(fake.url, { wait }) };
}

test("a small file is answered at once", async (t) => {
  const { fake, pauses, api } = await waiting(t, [{ body: { data: FILE } }]);
  assert.deepEqual((await api.exportPredictions({ level: "high" })).data, FILE);
  assert.deepEqual([fake.asked.length, pauses.length], [1, 0]);
});

test("a large one is asked after with growing pauses, and its progress is told", async (t) => {
  const done = run({ status: "SUCCEEDED", ...FILE });
  const { fake, pauses, api } = await waiting(t, [
    { status: 202, body: { data: run() } },
    { body: { data: run({ examined: 4 }) } },
    ...Array.from({ length: 8 }, () => ({ body: { data: run({ examined: 8 }) } })),
    { body: { data: done } },
  ]);
  /** @type {number[]} */
  const told = [];
  const { data } = await api.exportPredictions({}, { onProgress: ({ examined }) => told.push(examined) });
  assert.deepEqual(data, done);
  assert.deepEqual(new Set(fake.asked.slice(1).map(({ path }) => path)), new Set(["/api/predictions/exports/e%2F1"]));
  assert.deepEqual(told, [0, 4, 8, 8, 8, 8, 8, 8, 8, 8]);
  assert.deepEqual(
    pauses,
    [...pauses].sort((one, other) => one - other),
  );
  assert.deepEqual([pauses[0], pauses.at(-1)], [1000, 15_000]);
});

test("a run that is done already has the link in its first answer", async (t) => {
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

test("who gives up is asked for no more", async (t) => {
  const stop = new AbortController();
  const { fake, api } = await waiting(t, [{ status: 202, body: { data: run() } }]);
  const onProgress = () => stop.abort(new Error("no longer wanted"));
  await assert.rejects(api.exportPredictions({}, { signal: stop.signal, onProgress }), /no longer wanted/);
  assert.equal(fake.asked.length, 1);
});
