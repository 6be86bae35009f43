/** Parts of the customers, built by criteria and set against each other. */
import { expect, settled, test } from "./fixtures";

test("a segment by criteria has the API's size and value, and its address brings it back", async ({ page, api }) => {
  await page.goto("/segments");
  await page.getByLabel("Narrow by").selectOption({ label: "Plan" });
  await page.getByRole("checkbox", { name: "premium" }).check();
  await page.getByLabel("And also").selectOption({ label: "Last login" });
  await expect(page.getByText("1 condition counts once a value is given.")).toBeVisible();
  await page.getByLabel("Last login: value").fill("10");
  await page.getByLabel("Last login: value").blur();
  await expect(page).toHaveURL(/last_login_days/);
  await settled(page);
  const criteria = [
    { column: "plan", op: "in" as const, value: ["premium"] },
    { column: "last_login_days", op: "ge" as const, value: 10 },
  ];
  const { data } = await api.segmentCustomers({ criteria, limit: 10 });
  const count = page.locator(".figure", { has: page.getByRole("heading", { name: "Customers" }) }).locator(".value");
  await expect(count).toHaveText(new Intl.NumberFormat("en").format(data.count));
  const rows = page.locator("table.customers tbody th a");
  expect(await rows.allInnerTexts()).toEqual(data.customers.map(({ customer_id }) => customer_id));
  await page.reload();
  await settled(page);
  await expect(count).toHaveText(new Intl.NumberFormat("en").format(data.count));
});

test("two segments are compared figure by figure", async ({ page, api }) => {
  await page.goto('/segments?a=plan.in.["basic"]');
  await page.getByRole("button", { name: "Compare with another segment" }).click();
  const b = page.getByRole("region", { name: "Segment B" });
  await b.getByRole("checkbox", { name: "basic" }).uncheck();
  await b.getByRole("checkbox", { name: "premium" }).check();
  const table = page.getByRole("region", { name: "A against B" });
  await expect(table.getByText(/as likely to leave as one of/)).toBeVisible();
  await settled(page);
  const counted = await Promise.all(
    ["basic", "premium"].map((plan) =>
      api.segmentCustomers({ criteria: [{ column: "plan", op: "in", value: [plan] }] }),
    ),
  );
  const row = table.getByRole("row", { name: /^Customers/ });
  for (const { data } of counted) await expect(row).toContainText(new Intl.NumberFormat("en").format(data.count));
});

test("a segment of nobody says what to do", async ({ page }) => {
  await page.goto('/segments?a=plan.in.["basic"]&a=monthly_price.gt.99&a.level=critical');
  await expect(page.getByRole("heading", { name: "Nobody fits" }).first()).toBeVisible();
});
