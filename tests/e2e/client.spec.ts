/** The JavaScript client against the running stack: from Node, as a single file, and in a page. */
import { fileURLToPath } from "node:url";
import type RetainStreamAPI from "../../client/api-client.js";
import { Conflict, Forbidden, InvalidRequest, NotFound, NotSignedIn } from "../../client/api-client.js";
import { ADMINISTRATOR, expect, signedIn, test } from "./fixtures";

test("every read answers in Node", async ({ api }) => {
  const reads: Record<string, () => Promise<{ data: unknown }>> = {
    getDashboardMetrics: () => api.getDashboardMetrics(),
    getDistribution: () => api.getDistribution("basic"),
    getTopFeatures: () => api.getTopFeatures(),
    runPredictions: () => api.runPredictions(10),
    getHighRiskCustomers: () => api.getHighRiskCustomers(1, 5),
    segmentCustomers: () => api.segmentCustomers(),
    getPredictionResults: () => api.getPredictionResults({ limit: 5 }),
    getModelPerformance: () => api.getModelPerformance(),
    getModelStatus: () => api.getModelStatus(),
    getFeatureImportance: () => api.getFeatureImportance(),
    getVersions: () => api.getVersions(),
    getDrift: () => api.getDrift(),
    getSchema: () => api.getSchema(),
    getEarlierSchemas: () => api.getEarlierSchemas(),
    getUsers: () => api.getUsers(),
    getImports: () => api.getImports(),
    health: () => api.health(),
    healthDetails: () => api.healthDetails(),
  };
  for (const [name, read] of Object.entries(reads)) expect((await read()).data, name).toBeTruthy();
});

test("iterators reach the end of their lists", async ({ api }) => {
  const total = (await api.getDashboardMetrics()).data.customers;
  const seen = new Set<string>();
  for await (const { customer_id: id } of api.everyCustomer()) seen.add(id);
  expect(seen.size).toBe(total.total);
  let least = 1;
  for await (const { probability } of api.everyHighRiskCustomer()) {
    expect(probability).toBeLessThanOrEqual(least);
    least = probability;
  }
});

test("a customer is stored, scored and deleted", async ({ api }) => {
  const [like] = (await api.getCustomers({ limit: 1 })).data;
  const { features } = (await api.getCustomer(like?.customer_id ?? "")).data;
  await api.putCustomer("made-in-node", features);
  const scored = await api.generatePredictions({ customer_ids: ["made-in-node"] } as never);
  expect(scored.data.predictions[0].probability).toBeGreaterThan(0);
  await api.deleteCustomer("made-in-node");
  await expect(api.getCustomer("made-in-node")).rejects.toThrow(NotFound);
});

test("refusals are errors of the matching class", async ({ api, url, accounts }) => {
  const viewer = await signedIn(url, accounts.viewer);
  await expect(viewer.trainModel()).rejects.toThrow(Forbidden);
  await expect(viewer.putCustomer("x", {})).rejects.toThrow(Forbidden);
  await expect(signedIn(url, { ...ADMINISTRATOR, password: "wrong" })).rejects.toThrow(NotSignedIn);
  await expect(api.promote("no-such-version")).rejects.toThrow(NotFound);
  await expect(api.addUser({ ...accounts.viewer, role: "viewer" })).rejects.toThrow(Conflict);
  const refused = api.whatIf({ customer_id: "x", changes: { no_such_column: 1 } });
  await expect(refused).rejects.toThrow(/./);
  const wrong = await api.putCustomer("x", { plan: "gold" }).catch((error) => error);
  expect(wrong).toBeInstanceOf(InvalidRequest);
  expect(wrong.errors.length).toBeGreaterThan(0);
});

test("a file is imported from Node", async ({ api }) => {
  const rows = ["customer_id,plan,watch_time_hours", "node-1,basic,5", "node-2,none,5"].join("\n");
  let sent = 0;
  const started = await api.importCustomers(new Blob([rows]), {
    name: "node.csv",
    onProgress: (bytes) => (sent = bytes),
  });
  expect(sent).toBe(rows.length);
  await expect(async () => {
    const { data } = await api.getImport(started.data.import_id);
    expect(["SUCCEEDED", "FAILED"]).toContain(data.status);
  }).toPass({ timeout: 30_000 });
});

test("the built file is the whole client: Node needs no other file", async ({ url }) => {
  const built: { default: typeof RetainStreamAPI } = await import(
    fileURLToPath(new URL("../../web/dist/api-client.js", import.meta.url))
  );
  const api = new built.default(url);
  await api.login(ADMINISTRATOR.email, ADMINISTRATOR.password);
  expect((await api.getHighRiskCustomers(1, 3)).data).toHaveLength(3);
});

test.describe("in a page", () => {
  test.use({ role: null });

  test("the built file is served with the pages, and a page uses it", async ({ page, provoked }) => {
    provoked(/favicon\.ico|auth\/me/);
    await page.goto("/icon.svg");
    const answer = await page.evaluate(async ({ email, password }) => {
      const address = "/api-client.js";
      const { RetainStreamAPI: Client, NotSignedIn: Refused } = await import(address);
      const api = new Client();
      const refused = await new Client("", { token: "none" })
        .getMe()
        .catch((error: unknown) => error instanceof Refused);
      await api.login(email, password);
      const names: string[] = [];
      for await (const customer of api.everyHighRiskCustomer({ plan: "premium" })) {
        names.push(customer.customer_id);
        if (names.length === 3) break;
      }
      return { refused, names };
    }, ADMINISTRATOR);
    expect(answer.refused).toBe(true);
    expect(answer.names).toHaveLength(3);
  });
});
