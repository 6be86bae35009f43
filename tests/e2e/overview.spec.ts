/** The first question of the morning, answered with the API's own figures. */
import { expect, settled, test } from "./fixtures";

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

test("the figures are the API's", async ({ page, api }) => {
  const { data } = await api.getDashboardMetrics();
  await page.goto("/");
  await settled(page);
  const value = (title: string) =>
    page.locator(".figure", { has: page.getByRole("heading", { name: title }) }).locator(".value");
  await expect(value("Predicted churners")).toHaveText(whole.format(data.predicted_churners.count ?? Number.NaN));
  await expect(value("Revenue at risk")).toHaveText(`$${whole.format(data.revenue_at_risk?.total ?? Number.NaN)}`);
  await expect(value("Churn rate")).toHaveText(`${(100 * (data.churn_rate ?? Number.NaN)).toFixed(1)} %`);
  await expect(value("Model quality")).toHaveText((data.model?.roc_auc ?? Number.NaN).toFixed(3));
  await expect(page.locator(".heading")).toContainText(`of ${whole.format(data.customers.active)} active customers`);
  await expect(page.locator(".tag", { hasText: "synthetic" })).toBeVisible();
});

test("the histogram can be narrowed to a plan, and read as a table", async ({ page, api }) => {
  const { data } = await api.getDistribution();
  await page.goto("/");
  const card = page.getByRole("region", { name: "How probable leaving is" });
  const shown = async () => {
    const cells = await card.locator("tbody td:nth-child(2)").allInnerTexts();
    return cells.map((cell) => Number(cell.replaceAll(",", "")));
  };
  await card.getByText("As a table").click();
  await expect(card.getByRole("table")).toBeVisible();
  expect(await shown()).toEqual(data.counts);
  const [group] = data.groups;
  await card.getByRole("button", { name: group?.group ?? "", exact: true }).click();
  expect(await shown()).toEqual(group?.counts);
  await expect(card.getByRole("img")).toHaveAttribute("aria-label", /Histogram of churn probability/);
});

test("the factors are the API's, strongest first, each with its direction", async ({ page, api }) => {
  const { data } = await api.getTopFeatures();
  await page.goto("/");
  const card = page.getByRole("region", { name: "What moves the scores" });
  const lines = card.getByRole("listitem");
  await expect(lines).toHaveCount(Math.min(8, data.length));
  await expect(lines.first()).toContainText(data[0]?.label ?? "");
  await expect(lines.first()).toContainText(`±${data[0]?.points.toFixed(1)}`);
  await expect(lines.first()).toContainText(/raises the risk|lowers the risk|depends/);
});

test("the way to the call list is one click", async ({ page }) => {
  await page.goto("/");
  await page.getByRole("link", { name: "Whom to call" }).click();
  await expect(page.getByRole("heading", { level: 1, name: /At risk/ })).toBeVisible();
});
