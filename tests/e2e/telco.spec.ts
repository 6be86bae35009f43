/** Another business: with its schema and synthetic customers, the pages use its words. */
import { expect, settled, test } from "./fixtures";
import { looksRight } from "./looks";

for (const width of [1440, 390])
  test(`every page uses the words of the schema, ${width} pixels wide`, async ({ page, api, screenshots }) => {
    await page.setViewportSize({ width, height: 900 });
    const [customer] = (await api.getHighRiskCustomers(1, 1)).data;
    const pages: [string, string, string[]][] = [
      ["overview", "/", ["Contract", "Month-to-month", "Revenue at risk"]],
      ["at-risk", "/at-risk", ["Contract", "free to leave every month", "a month"]],
      ["customer", `/customers/${customer?.customer_id}`, ["Contract", "Technical support", "Payment", "Senior"]],
      ["segments", '/segments?a=Contract.in.["Month-to-month"]', ["Contract is Month-to-month", "Value at risk"]],
      ["model", "/model", ["Contract", "Monthly bill"]],
      ["data", "/data", ["Telephone and internet customers", "customerID", "Dependants"]],
    ];
    for (const [name, path, words] of pages) {
      await page.goto(path);
      await looksRight(page, `${screenshots}/telco-${name}-${width}.png`);
      const text = await page.locator("main").innerText();
      for (const word of words) expect(text, name).toContain(word);
      expect(text, name).not.toMatch(/Watch time|watched|Subscri|\bPlan\b/);
    }
  });

test("a group of customers, a boolean segment and a categorical what-if", async ({ page, api }) => {
  await page.goto("/at-risk");
  await page.getByLabel("Contract").selectOption("Month-to-month");
  await expect(page).toHaveURL(/group=Month-to-month/);
  await settled(page);
  for (const group of await page.locator("table.customers th.customer small").allInnerTexts())
    expect(group).toBe("Month-to-month");

  await page.goto("/segments");
  await page.getByLabel("Add a condition").selectOption({ label: "Senior" });
  await page.getByLabel("Senior: value").selectOption("yes");
  await settled(page);
  const asked = await api.segmentCustomers({ criteria: [{ column: "SeniorCitizen", op: "eq", value: true }] });
  await expect(page.locator(".segment-figures .value").first()).toHaveText(String(asked.data.count));

  const [customer] = (await api.getHighRiskCustomers(1, 1)).data;
  await page.goto(`/customers/${customer?.customer_id}`);
  const card = page.getByRole("region", { name: "What if" });
  await card.getByLabel("Contract").selectOption("Two year");
  await card.locator(".before-after").waitFor();
  const [now, then] = await card.locator(".before-after b").allInnerTexts();
  expect(Number.parseFloat(then ?? "")).toBeLessThan(Number.parseFloat(now ?? ""));
});
