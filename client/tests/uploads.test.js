/** Uploads: a file is sent in the API's parts; a failed part is repeated, a refused part is not. */
import assert from "node:assert/strict";
import { test } from "node:test";
import RetainStreamAPI, { Unavailable } from "../api-client.js";
import { FakeApi } from "./fake-api.js";

const FILE = new Blob(["customer_id,plan\n", "a,basic\n", "b,premium\n"], { type: "text/csv" });

/** An API whose upload has parts of 12 bytes; `part` answers the PUT of a part by its number and attempt. */
async function uploading(
  /** @type {import("node:test").TestContext} */ t,
  part = (/** @type {number} */ _number, /** @type {number} */ _try) => ({}),
) {
  const fake = await FakeApi.for(t);
  const tries = new Map();
  const parts = [];
  for (let offset = 0; offset < FILE.size; offset += 12)
    parts.push({ offset, size: Math.min(12, FILE.size - offset), url: `${fake.url}/part/${parts.length}` });
  fake.answers = [
    ({ method, path }) => {
      if (method === "PUT") {
        const number = Number(path.split("/").at(-1));
        tries.set(number, (tries.get(number) ?? 0) + 1);
        return part(number, tries.get(number));
      }
      const started = { import_id: "i-1", upload: { parts, complete: "/api/customers/imports/i-1/complete" } };
      return { body: { data: path.endsWith("/imports") ? started : { import_id: "i-1", status: "RUNNING" } } };
    },
  ];
  return { fake, api: new RetainStreamAPI(fake.url, { token: "secret" }) };
}

const puts = (/** @type {FakeApi} */ fake) => fake.requests.filter(({ method }) => method === "PUT");

test("all bytes arrive in order, the import is completed, and the token stays with the API", async (t) => {
  const { fake, api } = await uploading(t);
  /** @type {number[]} */
  const progress = [];
  const { data } = await api.importCustomers(FILE, { name: "may.csv", onProgress: (sent) => progress.push(sent) });
  assert.equal(data.status, "RUNNING");
  assert.equal(
    puts(fake)
      .map(({ body }) => body)
      .join(""),
    await FILE.text(),
  );
  assert.deepEqual(JSON.parse(fake.requests[0]?.body ?? ""), { file_name: "may.csv", size: FILE.size });
  assert.deepEqual(
    [fake.requests.at(-1)?.method, fake.requests.at(-1)?.path],
    ["POST", "/api/customers/imports/i-1/complete"],
  );
  for (const { headers } of puts(fake)) {
    assert.equal(headers.authorization, undefined);
    assert.equal(headers["content-type"], undefined);
  }
  assert.deepEqual(progress, [12, 24, FILE.size]);
});

test("a file states the days of its features and of its outcomes", async (t) => {
  const { fake, api } = await uploading(t);
  await api.importCustomers(FILE, { name: "may.csv", featuresAsOf: "2026-04-30", outcomesAsOf: "2026-05-31" });
  assert.deepEqual(JSON.parse(fake.requests[0]?.body ?? ""), {
    file_name: "may.csv",
    size: FILE.size,
    features_as_of: "2026-04-30",
    outcomes_as_of: "2026-05-31",
  });
});

test("a part that fails is sent again, and only that part", async (t) => {
  const { fake, api } = await uploading(t, (number, attempt) => {
    if (number === 1 && attempt === 1) return { status: 503 };
    return number === 2 && attempt === 1 ? { cut: true } : {};
  });
  await api.importCustomers(FILE);
  assert.deepEqual(
    puts(fake).map(({ path }) => path),
    ["/part/0", "/part/1", "/part/1", "/part/2", "/part/2"],
  );
});

test("an expired link is not repeated, and the import is not completed", async (t) => {
  const { fake, api } = await uploading(t, (number) => (number === 1 ? { status: 403 } : {}));
  await assert.rejects(api.importCustomers(FILE), (error) => {
    assert.ok(error instanceof Unavailable && error.status === 403);
    return /upload link has expired/.test(error.message);
  });
  assert.equal(puts(fake).length, 2);
  assert.ok(!fake.requests.some(({ path }) => path.endsWith("/complete")));
});

test("an aborted upload stops at once", async (t) => {
  const stop = new AbortController();
  const { fake, api } = await uploading(t, (number) => {
    if (number === 1) stop.abort(new Error("no longer wanted"));
    return number === 1 ? { silent: true } : {};
  });
  await assert.rejects(api.importCustomers(FILE, { signal: stop.signal }), /no longer wanted/);
  assert.equal(puts(fake).length, 2);
});
