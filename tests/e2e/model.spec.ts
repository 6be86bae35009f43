/** Training, promotion and rollback, with the figures behind each decision. */
import type { Page } from "@playwright/test";
import type RetainStreamAPI from "../../client/api-client.js";
import { expect, settled, test } from "./fixtures";

const inService = (page: Page) => page.locator("table tr", { hasText: "in service" }).getByRole("rowheader");

/** Records for customers who stayed until now that they left ten days ago. */
async function leaveTenDaysAgo(api: RetainStreamAPI, count: number) {
  const day = new Date(Date.now() - 10 * 24 * 3600 * 1000).toISOString().slice(0, 10);
  let left = 0;
  for await (const { customer_id } of api.everyHighRiskCustomer()) {
    if (left === count) break;
    if ((await api.getCustomer(customer_id)).data.churned !== false) continue;
    await api.recordOutcome(customer_id, true, day);
    left += 1;
  }
  expect(left).toBe(count);
}

test("a training run promotes its version with live steps; rollback and promotion follow", async ({ page, api }) => {
  test.setTimeout(150_000);
  const before = (await api.getModelStatus()).data.model?.version ?? "";
  // The same training rows would give the same model, and no version to roll back to.
  await leaveTenDaysAgo(api, 3);
  await page.goto("/model");
  await settled(page);
  await expect(inService(page)).toHaveText(before);
  await page.getByRole("button", { name: "Train now" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Train", exact: true }).click();
  const training = page.getByRole("region", { name: "Training" });
  await expect(training.locator("li[data-status=running]")).toBeVisible();
  await page.getByRole("button", { name: "Train now" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Train", exact: true }).click();
  await expect(training.getByText("A training run was already under way. No other was started.")).toBeVisible();
  await expect(training.getByText(/is in service, with a ROC AUC of 0\.\d{3}/)).toBeVisible({ timeout: 120_000 });
  for (const step of await training.locator("li").all()) await expect(step).toHaveAttribute("data-status", "succeeded");

  const after = (await api.getModelStatus()).data.model?.version ?? "";
  expect(after).not.toBe(before);
  await expect(inService(page)).toHaveText(after);

  await page.getByRole("button", { name: "Roll back" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Roll back" }).click();
  await expect(page.getByText(`${before} is in service again.`)).toBeVisible();
  await expect(inService(page)).toHaveText(before);
  expect((await api.getModelStatus()).data.model?.version).toBe(before);

  await page
    .getByRole("row", { name: new RegExp(after) })
    .getByRole("button", { name: "Promote" })
    .click();
  await expect(page.getByRole("dialog")).toContainText(after);
  await page.getByRole("dialog").getByRole("button", { name: "Promote" }).click();
  await expect(page.getByText(`${after} is in service.`)).toBeVisible();
  await expect(inService(page)).toHaveText(after);

  await page.getByLabel(`Compare ${before}`).check();
  await page.getByLabel(`Compare ${after}`).check();
  await expect(page.getByRole("table", { name: /Side by side/ })).toContainText("PR AUC");
});

test("the overview shows the change since the previous run", async ({ page, api }) => {
  const { data } = await api.getDashboardMetrics();
  test.skip(!data.changes.in_last_run, "there was only one run");
  await page.goto("/");
  await settled(page);
  await expect(page.locator(".figure .change").first()).toHaveText(/^[±+−]\d+ since the previous run$/);
  await expect(page.locator(".figure .change").nth(1)).toHaveText(/^(±|\+|−)\$[\d,]+ since the previous run$/);
});

test("figures, drift and plots are shown", async ({ page, api }) => {
  const { data } = await api.getModelStatus();
  await page.goto("/model");
  await settled(page);
  await expect(page.locator(".figure .value").first()).toHaveText(data.model?.metrics.roc_auc?.toFixed(3) ?? "");
  const drift = (await api.getDrift()).data;
  const region = page.getByRole("region", { name: "Drift" });
  await expect(region).toContainText(drift.told);
  await expect(region.locator("details")).toHaveCount(1 + (drift.report?.features.length ?? 0));
  await region.getByText("Watch time", { exact: true }).click();
  await expect(region.getByRole("row").nth(1)).toBeVisible();
  await expect(region.getByText("Effect on expected churn: ").filter({ visible: true })).toHaveCount(1);
  for (const name of ["Reliability", "Gain"]) {
    const plot = page.getByRole("region", { name }).getByRole("img");
    await expect(plot.locator("svg").last()).toBeVisible();
    await expect(plot).toHaveAttribute("aria-label", /curve/);
  }
  const expected = page.getByRole("region", { name: "Model performance" }).getByRole("row", { name: /^ROC AUC/ });
  await expect(expected).toContainText(data.model?.metrics.roc_auc?.toFixed(3) ?? "");
  const performance = (await api.getModelPerformance()).data;
  const shown = page.getByRole("region", { name: "Model performance" }).first();
  await expect(shown).toContainText(
    performance.realised?.basis ??
      (performance.first_judged_on
        ? "The outcome of a prediction is known when its horizon has ended."
        : "The model has scored no customers yet."),
  );
});

test("the performance by month is a plot, or says when the first month can be judged", async ({ page, api }) => {
  const { data } = await api.getModelPerformance();
  await page.goto("/model");
  await settled(page);
  const card = page.getByRole("region", { name: "Performance by month" });
  if (data.by_period.length) {
    await expect(card.getByRole("img").locator("svg").last()).toBeVisible();
    await card.getByText("View as a table").click();
    await expect(card.locator("tbody tr")).toHaveCount(data.by_period.length);
  } else await expect(card).toContainText("No month has been judged yet");
  if (data.next_judged_on) await expect(card).toContainText(/month can be judged (on|once outcomes through)/);
});

test("the model card opens in a page of its own", async ({ page, api, context }) => {
  const version = (await api.getModelStatus()).data.model?.version ?? "";
  await page.goto("/model");
  const opening = context.waitForEvent("page");
  await page.getByRole("button", { name: `Model card of ${version}` }).click();
  const card = await opening;
  await expect(card.locator("body")).toContainText(version);
  await expect(card.locator("body")).toContainText(/ROC AUC/i);
});
