/** The first part of a file, as previews and drafts send it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { gunzipSync, gzipSync } from "node:zlib";
import RetainStreamAPI, { InvalidRequest } from "../api-client.js";
import { FakeApi } from "./fake-api.js";

const LINE = "C-1,basic,9.99,yes\n";

async function previewed(/** @type {import("node:test").TestContext} */ t, /** @type {Blob} */ file) {
  const fake = await FakeApi.for(t);
  fake.answers = [{ body: { data: { rows: 1 } } }];
  await new RetainStreamAPI(fake.url, { token: "secret" }).previewImport(file, { name: "may.csv" });
  const { path, body } = fake.requests[0] ?? assert.fail();
  assert.equal(path, "/api/customers/imports/preview");
  const sent = JSON.parse(body);
  return { ...sent, text: gunzipSync(Buffer.from(sent.content, "base64")).toString() };
}

test("a small file is sent as a whole, compressed", async (t) => {
  const sent = await previewed(t, new Blob([LINE]));
  assert.deepEqual([sent.file_name, sent.complete, sent.text], ["may.csv", true, LINE]);
});

test("a compressed file is unpacked first, so that its first part can be sent", async (t) => {
  const sent = await previewed(t, new Blob([gzipSync(LINE.repeat(200_000))]));
  assert.deepEqual([sent.complete, sent.text.length], [false, 2_000_000]);
});

test("an Excel file is sent as it is, or not at all", async (t) => {
  const fake = await FakeApi.for(t);
  const api = new RetainStreamAPI(fake.url, { token: "secret" });
  await api.draftSchema(new Blob(["PK\u0003\u0004rest"]), { fileName: "a.xlsx", label: "churn" });
  assert.deepEqual(JSON.parse(fake.requests[0]?.body ?? ""), {
    file_name: "a.xlsx",
    content: Buffer.from("PK\u0003\u0004rest").toString("base64"),
    complete: true,
    label: "churn",
  });
  await assert.rejects(api.draftSchema(new Blob(["PK\u0003\u0004", new Uint8Array(5_000_000)])), InvalidRequest);
});
