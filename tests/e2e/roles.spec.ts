/** The pages and buttons of each role, and the pages that another role is refused. */
import { expect, settled, test } from "./fixtures";

const PAGES = ["Overview", "At risk", "Segments", "Model", "Data"];

test.describe("viewer", () => {
  test.use({ role: "viewer" });

  test("sees every figure and changes nothing", async ({ page, api }) => {
    const [customer] = (await api.getHighRiskCustomers(1, 1)).data;
    await page.goto("/");
    await expect(page.getByRole("navigation", { name: "Pages" }).getByRole("link")).toHaveText([...PAGES, "API"]);
    await page.goto("/model");
    await settled(page);
    await expect(page.getByText("Only administrators can start a training run.")).toBeVisible();
    for (const name of ["Train now", "Promote", "Roll back"])
      await expect(page.getByRole("button", { name })).toHaveCount(0);
    await page.goto("/at-risk");
    await settled(page);
    await expect(page.getByRole("button", { name: "Export call list (CSV)" })).toBeVisible();
    await expect(page.getByRole("button", { name: /Export (all|matching) predictions/ })).toHaveCount(0);
    await page.goto("/data");
    await settled(page);
    await expect(page.getByRole("heading", { name: "Only analysts can import customers" })).toBeVisible();
    await expect(page.getByRole("region", { name: "Feature schema" })).toBeVisible();
    await expect(page.getByLabel("File")).toHaveCount(0);
    await page.goto(`/customers/${customer?.customer_id}`);
    await settled(page);
    await expect(page.getByText("Only analysts can record outcomes.")).toBeVisible();
    await expect(page.getByRole("button", { name: "The customer left" })).toHaveCount(0);
    await page.getByRole("slider", { name: "Last login" }).focus();
    await page.keyboard.press("End");
    await expect(page.locator(".before-after")).toBeVisible();
  });

  test("sees why the page of users is closed", async ({ page }) => {
    await page.goto("/users");
    await expect(page.getByRole("heading", { name: "Your role does not allow this" })).toBeVisible();
    await expect(page.getByRole("button", { name: "Add a user" })).toHaveCount(0);
  });
});

test.describe("analyst", () => {
  test.use({ role: "analyst" });

  test("imports and records, without buttons for models and users", async ({ page, api }) => {
    const [customer] = (await api.getHighRiskCustomers(1, 1)).data;
    await page.goto("/data");
    await expect(page.getByLabel("File")).toBeVisible();
    await expect(page.getByRole("link", { name: "Users" })).toHaveCount(0);
    await page.goto(`/customers/${customer?.customer_id}`);
    await expect(page.getByRole("button", { name: "The customer left" })).toBeVisible();
    await page.goto("/model");
    await settled(page);
    await expect(page.getByRole("button", { name: "Train now" })).toHaveCount(0);
  });
});

test("an administrator has every page", async ({ page }) => {
  await page.goto("/");
  await expect(page.getByRole("navigation", { name: "Pages" }).getByRole("link")).toHaveText([
    ...PAGES,
    "Users",
    "API",
  ]);
});
