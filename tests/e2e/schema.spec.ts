/** Changing the feature schema on the page Data: comparison, confirmation, the next steps, and the way back. */
import { readFile } from "node:fs/promises";
import type { Page } from "@playwright/test";
import { expect, settled, signedIn, test } from "./fixtures";
import { looksRight } from "./looks";

type Column = { name: string; label: string; levels: string[] };
type Document = { columns: Column[] };

/** The active schema with another column plan. */
async function changed(
  api: { getSchema: () => Promise<{ data: unknown }> },
  change: (plan: Column) => Partial<Column>,
): Promise<string> {
  const schema = (await api.getSchema()).data as Document;
  const columns = schema.columns.map((column) => (column.name === "plan" ? { ...column, ...change(column) } : column));
  return JSON.stringify({ ...schema, columns });
}

async function choose(page: Page, text: string, name = "schema.json"): Promise<void> {
  await page.getByLabel("Schema to activate").setInputFiles({
    name,
    mimeType: "application/json",
    buffer: Buffer.from(text),
  });
}

const card = (page: Page) => page.getByRole("region", { name: "Change the schema" });

test("an administrator compares, confirms, reads the next steps, and goes back", async ({ page, api }) => {
  await page.goto("/data");
  await settled(page);
  await choose(page, await changed(api, () => ({ label: "Tariff" })));
  await expect(card(page).getByRole("table", { name: "Differences" })).toContainText("words changed");
  await expect(card(page)).toContainText(/[\d,]+ customers checked: all fit\./);
  await card(page).getByRole("button", { name: "Activate", exact: true }).click();
  const dialog = page.getByRole("dialog", { name: /^Activate / });
  await dialog.getByRole("button", { name: "Activate", exact: true }).dblclick();
  await expect(dialog).toHaveCount(0);
  await expect(card(page).getByRole("heading", { name: "Next steps" })).toBeVisible();
  await expect(card(page).getByRole("listitem").first()).toContainText("Wait 30 seconds");
  await expect(page.getByRole("region", { name: "Feature schema" })).toContainText("Tariff");
  await page.reload();
  await settled(page);
  await expect(page.getByRole("region", { name: "Feature schema" })).toContainText("Tariff");
  const downloading = page.waitForEvent("download");
  await card(page)
    .getByRole("button", { name: /^Download / })
    .first()
    .click();
  await choose(page, await readFile(await (await downloading).path(), "utf8"));
  await card(page).getByRole("button", { name: "Activate", exact: true }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Activate", exact: true }).click();
  await expect(page.getByRole("region", { name: "Feature schema" })).not.toContainText("Tariff");
});

test("the customers who do not fit are counted before anything changes", async ({ page, api, screenshots }) => {
  await page.goto("/data");
  await settled(page);
  await choose(page, await changed(api, ({ levels }) => ({ levels: levels.slice(1) })));
  await expect(card(page)).toContainText(/[\d,]+ of 1,\d{3} checked customers do not fit\./);
  await expect(card(page)).toContainText(/a value that the new schema does not allow, for example basic\./);
  for (const width of [390, 1024, 1440]) {
    await page.setViewportSize({ width, height: 900 });
    await looksRight(page, `${screenshots}/schema-${width}.png`);
  }
  await card(page).getByRole("button", { name: "Activate", exact: true }).click();
  const dialog = page.getByRole("dialog");
  await expect(dialog.getByRole("button", { name: "Activate nevertheless" })).toBeVisible();
  await expect(dialog).toContainText(/do not fit\./);
  await dialog.getByRole("button", { name: "Cancel" }).click();
  expect((await api.getSchema()).data.columns.find(({ name }) => name === "plan")?.levels).toContain("basic");
});

test("another administrator's change is not overwritten", async ({ page, api, url, accounts, provoked }) => {
  provoked(/409/);
  const before = JSON.stringify((await api.getSchema()).data);
  await page.goto("/data");
  await settled(page);
  await choose(page, await changed(api, () => ({ label: "Mine" })));
  await card(page).getByRole("button", { name: "Activate", exact: true }).click();
  const other = await signedIn(url, accounts.admin);
  const theirs = await changed(api, () => ({ label: "Theirs" }));
  await other.changeSchema(theirs, { replaces: (await other.checkSchema(theirs)).data.replaces });
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: "Activate", exact: true }).click();
  await expect(dialog.getByRole("alert")).toContainText("Another feature schema became active meanwhile.");
  await dialog.getByRole("button", { name: "Cancel" }).click();
  await card(page).getByRole("button", { name: "Compare again" }).click();
  await expect(card(page).getByRole("table", { name: "Differences" })).toContainText("words changed");
  await other.changeSchema(before, { replaces: (await other.checkSchema(before)).data.replaces });
});

test("a file that is no schema is refused with the place of its fault", async ({ page, provoked }) => {
  provoked(/422/);
  await page.goto("/data");
  await settled(page);
  await choose(page, "name: ours\ntitle: [", "schema.yaml");
  await expect(card(page).getByRole("alert")).toContainText("The document is not a feature schema.");
  await expect(card(page).getByRole("alert")).toContainText("line 2, column");
  await expect(card(page).getByRole("button", { name: "Activate", exact: true })).toHaveCount(0);
});

for (const role of ["viewer", "analyst"] as const)
  test.describe(role, () => {
    test.use({ role });

    test("sees the schema and not its change", async ({ page }) => {
      await page.goto("/data");
      await settled(page);
      await expect(page.getByRole("region", { name: "Feature schema" })).toBeVisible();
      await expect(card(page)).toHaveCount(0);
    });
  });
