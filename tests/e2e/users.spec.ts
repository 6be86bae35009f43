/** Accounts, managed by an administrator. */
import { NotSignedIn } from "../../client/api-client.js";
import { expect, PASSWORD, settled, signedIn, test } from "./fixtures";

test("an account is created, changes its role and is disabled", async ({ page, url }) => {
  const account = { email: `new-${Date.now()}@example.org`, password: PASSWORD };
  await page.goto("/users");
  await page.getByRole("button", { name: "Add a user" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("E-mail").fill(account.email);
  await dialog.getByLabel("Name").fill("Nina New");
  await dialog.getByLabel("Initial password").fill(PASSWORD);
  await dialog.getByLabel("Role").selectOption("viewer");
  await dialog.getByRole("button", { name: "Add", exact: true }).click();
  await expect(page.getByText("Nina New can sign in now.")).toBeVisible();
  const row = page.getByRole("row", { name: new RegExp(account.email) });
  await expect(row).toContainText("active, first password");
  expect((await (await signedIn(url, account)).getMe()).data.role).toBe("viewer");

  await row.getByLabel("Role of Nina New").selectOption("analyst");
  await page.getByRole("dialog").getByRole("button", { name: "Change" }).click();
  await expect(page.getByText("Nina New: analyst.")).toBeVisible();
  expect((await (await signedIn(url, account)).getMe()).data.role).toBe("analyst");

  await row.getByRole("button", { name: "Disable" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Disable" }).click();
  await expect(row).toContainText("disabled");
  await expect(signedIn(url, account)).rejects.toThrow(NotSignedIn);
});

test("a cancelled change is not shown", async ({ page }) => {
  await page.goto("/users");
  await settled(page);
  const role = page.getByLabel("Role of Vera Viewer");
  await role.selectOption("admin");
  await page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await expect(role).toHaveValue("viewer");
});

test("a refusal is shown beside its field", async ({ page, provoked }) => {
  provoked(/auth\/users/);
  await page.goto("/users");
  await page.getByRole("button", { name: "Add a user" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("E-mail").fill("weak@example.org");
  await dialog.getByLabel("Initial password").fill("password");
  await dialog.getByRole("button", { name: "Add", exact: true }).click();
  await expect(dialog.locator("small.wrong")).not.toBeEmpty();
  await expect(dialog.getByLabel("Initial password")).toHaveAttribute("aria-invalid", "true");
});
