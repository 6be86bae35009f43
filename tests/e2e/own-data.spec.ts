/** From a file to a running model on the page alone: the sample customers are removed, and the file's words and kinds corrected. */
import { expect, settled, test } from "./fixtures";
import { looksRight } from "./looks";

const ROWS = 400;

/** Members of a gym, as a German spreadsheet saves them; those with few visits leave more often. */
function members(): string {
  const rows = Array.from({ length: ROWS }, (_, row) => {
    const visits = (row * 7) % 20;
    const left = (row * 7919) % 100 < (visits < 7 ? 55 : 12);
    return `M-${String(row).padStart(4, "0")};${["Basis", "Plus", "Premium"][row % 3]};${19 + (row % 7)},90;${visits};${left ? "B" : "A"}`;
  });
  return `\ufeff${["Nr;Tarif;Beitrag;Besuche;Zustand", ...rows].join("\r\n")}\r\n`;
}

test("a new business goes from its file to a model in service", async ({ page, api, screenshots }) => {
  test.setTimeout(300_000);
  await page.goto("/data");
  await page.getByRole("link", { name: "Your own data" }).click();
  await settled(page);
  const file = { name: "mitglieder.csv", mimeType: "text/csv", buffer: Buffer.from(members()) };
  await page.getByLabel("File", { exact: true }).setInputFiles(file);
  await page.getByLabel("The column with the outcome").selectOption("Zustand");
  await page.getByLabel("The column with the id").selectOption("Nr");
  await page.getByLabel("What B means").selectOption("left");
  await expect(page.getByText("say which text means that the customer stayed")).toBeVisible();
  await page.getByLabel("What A means").selectOption("stayed");
  await expect(page.getByText("of the customers with a known outcome left.")).toBeVisible();
  const columns = page.getByRole("table", { name: "The columns of the file" });
  await expect(columns.getByRole("row", { name: /Beitrag/ })).toContainText("in the model");
  await columns.getByLabel("Kind of Tarif").selectOption("leave out");
  await expect(columns.getByRole("row", { name: /Tarif/ })).toContainText("left out by choice");
  for (const width of [390, 1024, 1440]) {
    await page.setViewportSize({ width, height: 900 });
    await looksRight(page, `${screenshots}/own-data-${width}.png`);
  }
  await page.getByLabel("What your customers are called").fill("Members");
  await page.getByRole("button", { name: "Use this name" }).click();
  await page.getByRole("button", { name: "Remove the sample customers" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Remove", exact: true }).click();
  await expect(page.getByText("The sample customers are removed.")).toBeVisible({ timeout: 60_000 });
  await page.getByRole("button", { name: "Activate the schema" }).click();
  await expect(page.getByText("Members is the active schema.")).toBeVisible();
  await page.getByRole("button", { name: "Import mitglieder.csv" }).click({ timeout: 60_000 });
  const imported = page.getByRole("region", { name: "5. The import" });
  await expect(imported.getByText("· done")).toBeVisible({ timeout: 60_000 });
  await expect(imported).toContainText(/Outcomes: \d+ left, \d+ stayed, 0 not known\./);
  await page.getByRole("button", { name: "Train now" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Train", exact: true }).click();
  await expect(page.getByText(/is in service, with a ROC AUC of/)).toBeVisible({ timeout: 180_000 });
  const schema = (await api.getSchema()).data;
  expect([schema.title, schema.id.column, schema.label.positive]).toEqual(["Members", "Nr", "B"]);
  expect(schema.columns.map(({ name }) => name).sort()).toEqual(["Beitrag", "Besuche"]);
  const { data: customers } = await api.getCustomers({ limit: 100 });
  expect(new Set(customers.map(({ source }) => source))).toEqual(new Set(["import"]));
  expect((await api.getHighRiskCustomers(1, 1)).data).toHaveLength(1);
});

test("a file that is no table is refused with the reason", async ({ page, provoked }) => {
  provoked(/422/);
  await page.goto("/data/own");
  await page
    .getByLabel("File", { exact: true })
    .setInputFiles({ name: "empty.csv", mimeType: "text/csv", buffer: Buffer.from("\n\n") });
  await expect(page.getByRole("alert")).toContainText("is empty");
});

for (const role of ["viewer", "analyst"] as const)
  test.describe(role, () => {
    test.use({ role });

    test("is sent to an administrator", async ({ page }) => {
      await page.goto("/data/own");
      await expect(page.getByText("Only administrators can set up their own data")).toBeVisible();
    });
  });
