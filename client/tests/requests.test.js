/** Requests: addresses, queries, tokens and bodies; and iterators over cursors. */
import assert from "node:assert/strict";
import { test } from "node:test";
import RetainStreamAPI, { idOf } from "../api-client.js";
import { FakeApi } from "./fake-api.js";

test("the base address may end in a slash, in /api, or in both", async (t) => {
  const fake = await FakeApi.for(t);
  for (const end of ["", "/", "/api", "/api/"]) await new RetainStreamAPI(fake.url + end).health();
  assert.deepEqual(new Set(fake.requests.map(({ path }) => path)), new Set(["/api/health"]));
});

test("empty values are left out of the query; other values are encoded", async (t) => {
  const fake = await FakeApi.for(t);
  const api = new RetainStreamAPI(fake.url);
  await api.getHighRiskCustomers(2, 25, { plan: "fast & dear", min_probability: 0, sort: undefined });
  assert.deepEqual(fake.requests[0]?.query, { page: "2", limit: "25", plan: "fast & dear", min_probability: "0" });
  await api.getHighRiskCustomers(2, 25, { cursor: "a+b/=" });
  assert.deepEqual(fake.requests[1]?.query, { limit: "25", cursor: "a+b/=" });
  await api.exportPredictions({ level: "", plan: /** @type {any} */ (null) });
  assert.deepEqual(fake.requests[2]?.query, { format: "csv" });
});

test("ids are escaped in paths without percent codes, which gateways decode", async (t) => {
  const fake = await FakeApi.for(t);
  await new RetainStreamAPI(fake.url).getCustomer("a/b?c#d é~");
  assert.equal(fake.requests[0]?.path, "/api/customers/a~2fb~3fc~23d~20~c3~a9~7e");
  assert.equal(idOf("a~2fb~3fc~23d~20~c3~a9~7e"), "a/b?c#d é~");
  assert.equal(idOf("a~ff"), "a~ff");
});

test("an outcome has a day, or a range of days in which the customer left", async (t) => {
  const fake = await FakeApi.for(t);
  const api = new RetainStreamAPI(fake.url);
  await api.recordOutcome("c", false);
  await api.recordOutcome("c", true, "2026-03-31");
  await api.recordOutcome("c", true, "2026-03-31", "2026-02-28");
  assert.deepEqual(
    fake.requests.map(({ body }) => JSON.parse(body)),
    [
      { churned: false },
      { churned: true, date: "2026-03-31" },
      { churned: true, date: "2026-03-31", left_after: "2026-02-28" },
    ],
  );
});

test("signing in keeps the token; signing out removes it even when the request fails", async (t) => {
  const fake = await FakeApi.for(t);
  fake.answers = [
    { body: { data: { token: "t-1" } } },
    { body: { data: {} } },
    { status: 500 },
    { body: { data: {} } },
  ];
  const api = new RetainStreamAPI(fake.url);
  await api.login("a@example.org", "secret");
  assert.deepEqual(JSON.parse(fake.requests[0]?.body ?? ""), { email: "a@example.org", password: "secret" });
  await api.getMe();
  await assert.rejects(api.logout());
  await api.health();
  assert.deepEqual(
    fake.requests.map(({ headers }) => headers.authorization),
    [undefined, "Bearer t-1", "Bearer t-1", undefined],
  );
  assert.equal(api.signedIn, false);
});

test("an iterator reads all pages, and sends no more requests when the loop ends", async (t) => {
  const fake = await FakeApi.for(t);
  const pages = /** @type {Record<string, object>} */ ({
    undefined: { data: [{ customer_id: "a" }, { customer_id: "b" }], page: { next: "2" } },
    2: { data: [], page: { next: "3" } },
    3: { data: [{ customer_id: "c" }], page: { next: null } },
  });
  fake.answers = [({ query }) => ({ body: pages[String(query.cursor)] })];
  const api = new RetainStreamAPI(fake.url);
  const ids = [];
  for await (const { customer_id: id } of api.everyHighRiskCustomer({ plan: "basic" })) ids.push(id);
  assert.deepEqual(ids, ["a", "b", "c"]);
  assert.deepEqual(
    fake.requests.map(({ query }) => query),
    [
      { limit: "100", plan: "basic" },
      { limit: "100", plan: "basic", cursor: "2" },
      { limit: "100", plan: "basic", cursor: "3" },
    ],
  );
  fake.requests = [];
  for await (const _ of api.everyPrediction()) break;
  assert.equal(fake.requests.length, 1);
});

test("an iterator keeps its place when a page fails once", async (t) => {
  const fake = await FakeApi.for(t);
  fake.answers = [
    { body: { data: [{ customer_id: "a" }], page: { next: "2" } } },
    { status: 503, headers: { "retry-after": "0" } },
    { body: { data: [{ customer_id: "b" }], page: { next: null } } },
  ];
  const ids = [];
  for await (const { customer_id: id } of new RetainStreamAPI(fake.url).everyCustomer()) ids.push(id);
  assert.deepEqual(ids, ["a", "b"]);
});
