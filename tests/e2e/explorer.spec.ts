/** The API explorer, with the account of the person signed in. */
import { expect, test } from "./fixtures";

test("a request from the page shows the live answer", async ({ page, api }) => {
  await page.goto("/explorer");
  await page.getByRole("region", { name: "Routes" }).getByText("/api/auth/me").click();
  await page.getByRole("button", { name: "Execute" }).click();
  const answer = page.locator(".live-responses-table");
  await expect(answer.locator(".response-col_status").last()).toContainText("200");
  await expect(answer.locator(".response-col_description").last()).toContainText("alex.chen@netflix.com");
  const { data } = await api.healthDetails();
  await expect(page.getByRole("region", { name: "Service health" })).toContainText(data.model?.version ?? "none");
});

test.describe("a viewer", () => {
  test.use({ role: "viewer" });

  test("is refused a route of another role", async ({ page, provoked }) => {
    provoked(/model\/train/);
    await page.goto("/explorer");
    await page.getByRole("region", { name: "Routes" }).getByText("/api/model/train", { exact: true }).click();
    await page.getByRole("button", { name: "Execute" }).click();
    await expect(page.locator(".live-responses-table .response-col_status").last()).toContainText("403");
  });
});
