/** What each role sees, what is kept from it, and what happens when it goes there all the same. */
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
    await expect(page.getByText("Training is for administrators.")).toBeVisible();
    for (const name of ["Train now", "Promote", "Roll back"])
      await expect(page.getByRole("button", { name })).toHaveCount(0);
    await page.goto("/data");
    await settled(page);
    await expect(page.getByRole("heading", { name: "Importing is for analysts" })).toBeVisible();
    await expect(page.getByRole("region", { name: "Feature schema" })).toBeVisible();
    await expect(page.getByLabel("File")).toHaveCount(0);
    await page.goto(`/customers/${customer?.customer_id}`);
    await settled(page);
    await expect(page.getByText("Outcomes are recorded by analysts")).toBeVisible();
    await expect(page.getByRole("button", { name: "The customer left" })).toHaveCount(0);
    await page.getByRole("slider", { name: "Last login" }).focus();
    await page.keyboard.press("End");
    await expect(page.locator(".before-after")).toBeVisible();
  });

  test("is told why the users' page is closed", async ({ page }) => {
    await page.goto("/users");
    await expect(page.getByRole("heading", { name: "Your role does not allow this" })).toBeVisible();
    await expect(page.getByRole("button", { name: "Add a user" })).toHaveCount(0);
  });
});

test.describe("analyst", () => {
  test.use({ role: "analyst" });

  test("imports and records, and leaves the model and the users to others", async ({ page, api }) => {
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
