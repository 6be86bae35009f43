/** What is sent: addresses, queries, tokens, bodies; and lists that go on by their cursors. */
import assert from "node:assert/strict";
import { test } from "node:test";
import RetainStreamAPI from "../api-client.js";
import { FakeApi } from "./fake-api.js";

test("the base address may end in a slash, in /api, or in both", async (t) => {
  const fake = await FakeApi.for(t);
  for (const end of ["", "/", "/api", "/api/"]) await new RetainStreamAPI(fake.url + end).health();
  assert.deepEqual(new Set(fake.asked.map(({ path }) => path)), new Set(["/api/health"]));
});

test("what is not given is left out of the query; what is given is encoded", async (t) => {
  const fake = await FakeApi.for(t);
  const api = new RetainStreamAPI(fake.url);
  await api.getHighRiskCustomers(2, 25, { plan: "fast & dear", min_probability: 0, sort: undefined });
  assert.deepEqual(fake.asked[0]?.query, { page: "2", limit: "25", plan: "fast & dear", min_probability: "0" });
  await api.getHighRiskCustomers(2, 25, { cursor: "a+b/=" });
  assert.deepEqual(fake.asked[1]?.query, { limit: "25", cursor: "a+b/=" });
  await api.exportPredictions({ level: "", plan: /** @type {any} */ (null) });
  assert.deepEqual(fake.asked[2]?.query, { format: "csv" });
});

test("ids are encoded in paths", async (t) => {
  const fake = await FakeApi.for(t);
  await new RetainStreamAPI(fake.url).getCustomer("a/b?c#d é");
  assert.equal(fake.asked[0]?.path, "/api/customers/a%2Fb%3Fc%23d%20%C3%A9");
});

test("signing in keeps the token, signing out forgets it even when that fails", async (t) => {
  const fake = await FakeApi.for(t);
  fake.told = [{ body: { data: { token: "t-1" } } }, { body: { data: {} } }, { status: 500 }, { body: { data: {} } }];
  const api = new RetainStreamAPI(fake.url);
  await api.login("a@example.org", "secret");
  assert.deepEqual(JSON.parse(fake.asked[0]?.body ?? ""), { email: "a@example.org", password: "secret" });
  await api.getMe();
  await assert.rejects(api.logout());
  await api.health();
  assert.deepEqual(
    fake.asked.map(({ headers }) => headers.authorization),
    [undefined, "Bearer t-1", "Bearer t-1", undefined],
  );
  assert.equal(api.signedIn, false);
});

test("an every… call goes through all pages, and stops asking when one stops reading", async (t) => {
  const fake = await FakeApi.for(t);
  const pages = /** @type {Record<string, object>} */ ({
    undefined: { data: [{ customer_id: "a" }, { customer_id: "b" }], page: { next: "2" } },
    2: { data: [], page: { next: "3" } },
    3: { data: [{ customer_id: "c" }], page: { next: null } },
  });
  fake.told = [({ query }) => ({ body: pages[String(query.cursor)] })];
  const api = new RetainStreamAPI(fake.url);
  const found = [];
  for await (const { customer_id: id } of api.everyHighRiskCustomer({ plan: "basic" })) found.push(id);
  assert.deepEqual(found, ["a", "b", "c"]);
  assert.deepEqual(
    fake.asked.map(({ query }) => query),
    [
      { limit: "100", plan: "basic" },
      { limit: "100", plan: "basic", cursor: "2" },
      { limit: "100", plan: "basic", cursor: "3" },
    ],
  );
  fake.asked = [];
  for await (const _ of api.everyPrediction()) break;
  assert.equal(fake.asked.length, 1);
});

test("a page that fails for a moment does not lose a list its place", async (t) => {
  const fake = await FakeApi.for(t);
  fake.told = [
    { body: { data: [{ customer_id: "a" }], page: { next: "2" } } },
    { status: 503, headers: { "retry-after": "0" } },
    { body: { data: [{ customer_id: "b" }], page: { next: null } } },
  ];
  const found = [];
  for await (const { customer_id: id } of new RetainStreamAPI(fake.url).everyCustomer()) found.push(id);
  assert.deepEqual(found, ["a", "b"]);
});
