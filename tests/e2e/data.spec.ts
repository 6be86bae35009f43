/** Imports: every row is counted as accepted or rejected. */
import { readFile } from "node:fs/promises";
import { expect, settled, test } from "./fixtures";

const HEADER =
  "customer_id,plan,watch_time_hours,subscription_age_months,device_count,last_login_days,payment_failures,tenure_months,monthly_price,churned";
const GOOD = 400;
const BAD = [
  ",basic,10,3,1,2,0,3,9.99,",
  "bad-2,=cmd,10,3,1,2,0,3",
  "new-0,basic,10,3,1,2,0,3,8.99,",
  "new-1,basic,10,3,1,2,0,3,8.99,",
];
const UNREAD = ["unread-1,gold,10,3,1,2,0,3,9.99,", "unread-2,gold,10,three,1,2,0,3,9.99,"];

function customers(): string {
  const good = Array.from({ length: GOOD }, (_, row) => `new-${row},basic,${row % 50},3,1,${row % 30},0,3,9.99,`);
  return `${[HEADER, ...good, ...BAD, ...UNREAD].join("\n")}\n`;
}

test.describe("an analyst", () => {
  test.use({ role: "analyst" });

  test("imports a file and downloads its rejected rows with their reasons", async ({ page, api }) => {
    await page.goto("/data");
    const file = { name: "may.csv", mimeType: "text/csv", buffer: Buffer.from(customers()) };
    await page.getByLabel("File").setInputFiles(file);
    await expect(page.getByText(/^may\.csv, /)).toBeVisible();
    await page.getByRole("button", { name: "Import", exact: true }).click();
    const card = page.getByRole("region", { name: "This import" });
    await expect(card.getByText("· done")).toBeVisible({ timeout: 45_000 });
    const figure = async (name: string) => {
      const text = await card
        .locator(".counts div", { hasText: new RegExp(`^${name}`) })
        .locator("dd")
        .innerText();
      return Number(text.replaceAll(",", ""));
    };
    const [rows, accepted, rejected] = [await figure("rows"), await figure("accepted"), await figure("rejected")];
    const good = GOOD + UNREAD.length;
    expect({ rows, accepted, rejected }).toEqual({ rows: good + BAD.length, accepted: good, rejected: BAD.length });
    expect(accepted + rejected).toBe(rows);
    await expect(card.getByRole("table", { name: `${BAD.length} rejected rows` })).toContainText(
      "2customer_id: is the id of an earlier row404",
    );
    await expect(card.getByRole("table", { name: "Cells that could not be read" })).toContainText(
      "2plan: “gold” is new",
    );
    const downloading = page.waitForEvent("download");
    await card.getByRole("link", { name: "Download the rejected rows to correct them" }).click();
    const text = await readFile(await (await downloading).path(), "utf8");
    expect(text.trim().split("\n")).toHaveLength(BAD.length + 1);
    expect(text).toContain(`${BAD[2]},customer_id: is the id of an earlier row`);
    expect(text).toContain("bad-2,'=cmd,10,3,1,2,0,3,,,has 8 fields where the header has 10");
    expect((await api.getCustomer("new-7")).data.features.last_login_days).toBe(7);
    expect((await api.getCustomer("new-7")).data.prediction).toBeNull();
    const scoring = page.getByRole("region", { name: "Score all customers" });
    await scoring.getByRole("button").click();
    await expect(scoring.getByText(/customers scored\.$/)).toBeVisible({ timeout: 45_000 });
    expect((await api.getCustomer("new-7")).data.prediction?.probability).toBeGreaterThan(0);
    const recent = page.getByRole("region", { name: "Recent imports" });
    const row = recent.getByRole("row", { name: /may\.csv/ });
    await expect(row).toContainText("succeeded");
    await page.reload();
    await expect(row).toContainText("succeeded");
  });

  test("imports a training table of one day and the outcomes of the horizon after it", async ({ page, api }) => {
    const { horizon_days } = (await api.getSchema()).data;
    const day = new Date(Date.now() - 40 * 86_400_000).toISOString().slice(0, 10);
    const rows = Array.from(
      { length: 60 },
      (_, row) => `past-${row},basic,${row % 50},3,1,2,0,3,9.99,${row % 4 ? "no" : "yes"}`,
    );
    await page.goto("/data");
    const file = { name: "table.csv", mimeType: "text/csv", buffer: Buffer.from(`${[HEADER, ...rows].join("\n")}\n`) };
    await page.getByLabel("File").setInputFiles(file);
    await page.getByLabel(/A training table/).check();
    await page.getByLabel("Features as of").fill(day);
    await expect(page.getByText(`${horizon_days} days later`)).toBeVisible();
    await page.getByRole("button", { name: "Import", exact: true }).click();
    const card = page.getByRole("region", { name: "This import" });
    await expect(card.getByText("· done")).toBeVisible({ timeout: 45_000 });
    const figures = (await card.locator(".counts").last().innerText()).replaceAll(/\s+/g, " ");
    expect(figures).toBe("left 15 stayed 45 not known 0 kept for training 60");
    const { life } = (await api.getCustomer("past-1")).data;
    const outcomes = new Date(Date.parse(day) + horizon_days * 86_400_000).toISOString().slice(0, 10);
    expect([life.first_seen_on, life.observed_until]).toEqual([day, outcomes]);
  });

  test("sees the reason why a file without customers fails", async ({ page, provoked }) => {
    provoked(/imports/);
    await page.goto("/data");
    await page
      .getByLabel("File")
      .setInputFiles({ name: "notes.csv", mimeType: "text/csv", buffer: Buffer.from("a\n1\n") });
    await page.getByRole("button", { name: "Import", exact: true }).click();
    await expect(page.getByText("The import failed")).toBeVisible({ timeout: 30_000 });
    await expect(page.getByRole("alert")).toContainText(/column/);
  });

  test("sees the upload's progress", async ({ page }) => {
    await page.goto("/data");
    await page.route(
      (address) => address.origin !== new URL(page.url()).origin,
      async (route) => {
        if (route.request().method() === "PUT") await new Promise((resolve) => setTimeout(resolve, 1500));
        await route.continue();
      },
    );
    await page
      .getByLabel("File")
      .setInputFiles({ name: "slow.csv", mimeType: "text/csv", buffer: Buffer.from(customers()) });
    await page.getByRole("button", { name: "Import", exact: true }).click();
    await expect(page.getByRole("progressbar", { name: "Uploading" })).toBeVisible();
    await expect(page.getByRole("button", { name: "Uploading…" })).toBeDisabled();
    await expect(page.getByText("· done")).toBeVisible({ timeout: 45_000 });
  });
});

test("a file is shown as it is understood before anything is stored, and its new level is added", async ({
  page,
  api,
}) => {
  const before = (await api.getImports()).data.length;
  await page.goto("/data");
  const file = { name: "preview.csv", mimeType: "text/csv", buffer: Buffer.from(customers()) };
  await page.getByLabel("File").setInputFiles(file);
  const preview = page.getByRole("region", { name: "Preview" });
  const columns = preview.getByRole("table", { name: "The columns as they were understood" });
  await expect(columns.getByRole("row", { name: /^plan/ })).toContainText("2 × “gold” is new");
  await expect(columns.getByRole("row", { name: /^tenure_months/ })).toContainText("whole number");
  await expect(preview).toContainText(`${BAD.length} would be rejected`);
  await expect(preview.getByRole("table", { name: "The first rows as they were understood" })).toContainText("new-0");
  expect((await api.getImports()).data.length).toBe(before);
  const schema = JSON.stringify((await api.getSchema()).data);
  await page.getByRole("button", { name: "Import", exact: true }).click();
  const card = page.getByRole("region", { name: "This import" });
  await expect(card.getByText("· done")).toBeVisible({ timeout: 45_000 });
  await card.getByRole("button", { name: "Add the level gold of plan" }).click();
  await expect(card.getByText("Added. Import the file again in 30 seconds.")).toBeVisible();
  const plan = (await api.getSchema()).data.columns.find(({ name }) => name === "plan");
  expect(plan?.levels).toContain("gold");
  await api.changeSchema(schema, { replaces: (await api.checkSchema(schema)).data.replaces });
});

test("the schema in force is shown in words", async ({ page, api }) => {
  const { data } = await api.getSchema();
  await page.goto("/data");
  await settled(page);
  const rows = page.getByRole("region", { name: "Feature schema" }).locator("tbody tr");
  await expect(rows).toHaveCount(data.columns.length);
  for (const column of data.columns)
    await expect(rows.filter({ hasText: column.name }).first()).toContainText(column.label);
});
