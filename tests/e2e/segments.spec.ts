/** Segments by criteria, and two segments compared. */
import { expect, settled, test } from "./fixtures";

test("a segment by criteria has the API's size, and its address restores it", async ({ page, api }) => {
  await page.goto("/segments");
  await page.getByLabel("Add a condition").selectOption({ label: "Plan" });
  await page.getByRole("checkbox", { name: "premium" }).check();
  await page.getByLabel("Add a condition").selectOption({ label: "Last login" });
  await expect(page.getByText("1 condition has no value yet and is ignored.")).toBeVisible();
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

test("a value that is being typed stays when the list arrives", async ({ page }) => {
  let answer = () => {};
  const typed = new Promise<void>((resolve) => (answer = resolve));
  await page.route("**/api/customers/segment", async (route) => {
    await typed;
    await route.continue();
  });
  await page.goto("/segments");
  await page.getByLabel("Add a condition").selectOption({ label: "Last login" });
  const value = page.getByLabel("Last login: value");
  await value.pressSequentially("12");
  answer();
  await settled(page);
  await expect(value).toHaveValue("12");
  await value.press("Enter");
  await expect(page).toHaveURL(/last_login_days\.ge\.12/);
});

test("two segments are compared figure by figure", async ({ page, api }) => {
  await page.goto('/segments?a=plan.in.["basic"]');
  await page.getByRole("button", { name: "Compare with another segment" }).click();
  const b = page.getByRole("region", { name: "Segment B" });
  await b.getByRole("checkbox", { name: "basic" }).uncheck();
  await b.getByRole("checkbox", { name: "premium" }).check();
  const table = page.getByRole("region", { name: "A and B compared" });
  await expect(table.getByText(/as likely to leave as customers in/)).toBeVisible();
  await settled(page);
  const counted = await Promise.all(
    ["basic", "premium"].map((plan) =>
      api.segmentCustomers({ criteria: [{ column: "plan", op: "in", value: [plan] }] }),
    ),
  );
  const row = table.getByRole("row", { name: /^Customers/ });
  for (const { data } of counted) await expect(row).toContainText(new Intl.NumberFormat("en").format(data.count));
});

test("an empty segment shows what to do", async ({ page }) => {
  await page.goto('/segments?a=plan.in.["basic"]&a=monthly_price.gt.99&a.level=critical');
  await expect(page.getByRole("heading", { name: "No customers match" }).first()).toBeVisible();
});
