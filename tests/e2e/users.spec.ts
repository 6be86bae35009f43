/** Who may do what, given and taken by an administrator. */
import { NotSignedIn } from "../../client/api-client.js";
import { expect, PASSWORD, settled, signedIn, test } from "./fixtures";

test("an account is made, changes its role, and is disabled", async ({ page, url }) => {
  const account = { email: `new-${Date.now()}@example.org`, password: PASSWORD };
  await page.goto("/users");
  await page.getByRole("button", { name: "Add a user" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("E-mail").fill(account.email);
  await dialog.getByLabel("Name").fill("Nina New");
  await dialog.getByLabel("First password").fill(PASSWORD);
  await dialog.getByLabel("Role").selectOption("viewer");
  await dialog.getByRole("button", { name: "Add", exact: true }).click();
  await expect(page.getByText("Nina New can sign in now.")).toBeVisible();
  const row = page.getByRole("row", { name: new RegExp(account.email) });
  await expect(row).toContainText("active");
  expect((await (await signedIn(url, account)).getMe()).data.role).toBe("viewer");

  await row.getByLabel("Role of Nina New").selectOption("analyst");
  await page.getByRole("dialog").getByRole("button", { name: "Change" }).click();
  await expect(page.getByText("Nina New is changed.")).toBeVisible();
  expect((await (await signedIn(url, account)).getMe()).data.role).toBe("analyst");

  await row.getByRole("button", { name: "Disable" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Change" }).click();
  await expect(row).toContainText("disabled");
  await expect(signedIn(url, account)).rejects.toThrow(NotSignedIn);
});

test("what was not confirmed is not shown as if it were", async ({ page }) => {
  await page.goto("/users");
  await settled(page);
  const role = page.getByLabel("Role of Vera Viewer");
  await role.selectOption("admin");
  await page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await expect(role).toHaveValue("viewer");
});

test("a refusal is told beside its field", async ({ page, provoked }) => {
  provoked(/auth\/users/);
  await page.goto("/users");
  await page.getByRole("button", { name: "Add a user" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("E-mail").fill("weak@example.org");
  await dialog.getByLabel("First password").fill("password");
  await dialog.getByRole("button", { name: "Add", exact: true }).click();
  await expect(dialog.locator("small.wrong")).not.toBeEmpty();
  await expect(dialog.getByLabel("First password")).toHaveAttribute("aria-invalid", "true");
});
