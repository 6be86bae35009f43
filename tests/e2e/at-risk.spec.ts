/** The call list: filters, order, pages, and CSV files without formulas. */
import { readFile } from "node:fs/promises";
import type { Page } from "@playwright/test";
import { expect, settled, test } from "./fixtures";

const ids = (page: Page) => page.locator("table.customers tbody th a").allInnerTexts();

test("the list equals the API's list, by probability, by value and with filters", async ({ page, api }) => {
  await page.goto("/at-risk");
  await settled(page);
  const idsOf = async (filters: object) =>
    (await api.getHighRiskCustomers(1, 20, filters)).data.map(({ customer_id }) => customer_id);
  expect(await ids(page)).toEqual(await idsOf({}));

  await page.getByRole("button", { name: "Value at risk" }).click();
  await expect(page).toHaveURL(/sort=value/);
  await settled(page);
  expect(await ids(page)).toEqual(await idsOf({ sort: "value" }));

  await page.getByLabel("Plan").selectOption("premium");
  await page.getByLabel("Minimum probability").fill("60");
  await page.getByLabel("Minimum probability").blur();
  await expect(page).toHaveURL(/min=60/);
  await settled(page);
  const narrowed = await idsOf({ sort: "value", plan: "premium", min_probability: 0.6 });
  expect(await ids(page)).toEqual(narrowed);
  await page.reload();
  await settled(page);
  expect(await ids(page)).toEqual(narrowed);

  await page.getByLabel("Minimum probability").fill("100");
  await page.getByLabel("Minimum probability").blur();
  await expect(page.getByText("No customers match these filters")).toBeVisible();
  await page.getByRole("button", { name: "Show all customers at risk" }).click();
  await expect(page.locator("table.customers tbody tr")).toHaveCount(20);
});

test("pages follow each other without a gap, and the focus stays on the button", async ({ page }) => {
  await page.goto("/at-risk");
  await settled(page);
  const first = await ids(page);
  const next = page.getByRole("button", { name: "Next" });
  const previous = page.getByRole("button", { name: "Previous" });
  await next.click();
  await expect(page.getByText(/^21–40 of/)).toBeVisible();
  await settled(page);
  const second = await ids(page);
  expect(new Set([...first, ...second]).size).toBe(40);
  await previous.focus();
  await page.keyboard.press("Enter");
  await expect(page.getByText(/^1–20 of/)).toBeVisible();
  await settled(page);
  expect(await ids(page)).toEqual(first);
  await expect(previous).toBeFocused();
  await expect(previous).toHaveAttribute("aria-disabled", "true");
});

test("customers selected on two pages are exported as a call list", async ({ page, api }) => {
  await page.goto("/at-risk");
  await settled(page);
  const chosen = [(await ids(page))[1] ?? ""];
  await page.getByLabel(`Select ${chosen[0]}`).check();
  await page.getByRole("button", { name: "Next" }).click();
  await expect(page.getByText(/^21–40 of/)).toBeVisible();
  await settled(page);
  await page.getByLabel("Select all on this page").check();
  chosen.push(...(await ids(page)));
  await expect(page.getByText("21 selected")).toBeVisible();
  const downloading = page.waitForEvent("download");
  await page.getByRole("button", { name: "Export call list (CSV)" }).click();
  const file = await downloading;
  expect(file.suggestedFilename()).toMatch(/^call-list-\d{4}-\d\d-\d\d\.csv$/);
  const lines = (await readFile(await file.path(), "utf8"))
    .replace(/^\uFEFF/, "")
    .trimEnd()
    .split("\r\n");
  expect(lines.shift()).toContain("Customer,Plan,Probability,Level,Change since last run,Price a month (USD)");
  expect(lines.map((line) => line.split(",")[0])).toEqual(chosen);
  const { data } = await api.getCustomer(chosen[0] ?? "");
  expect(lines[0]?.split(",")[2]).toBe(String(data.prediction?.probability));
  for (const cell of lines.flatMap((line) => line.split(","))) expect(cell).not.toMatch(/^"?[=@+]/);
});

test("all predictions are exported in a file that the API writes", async ({ page, api }) => {
  await page.goto("/at-risk");
  const downloading = page.waitForEvent("download");
  await page.getByRole("button", { name: "Export all predictions" }).click();
  const text = await readFile(await (await downloading).path(), "utf8");
  const scored = (await api.getDashboardMetrics()).data.customers.scored;
  expect(text.trim().split("\n")).toHaveLength(scored + 1);
});
