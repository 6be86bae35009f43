/** The overview shows the figures of the API. */
import { expect, settled, test } from "./fixtures";

const integer = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

test("the figures equal the API's figures", async ({ page, api }) => {
  const { data } = await api.getDashboardMetrics();
  await page.goto("/");
  await settled(page);
  const value = (title: string) =>
    page.locator(".figure", { has: page.getByRole("heading", { name: title }) }).locator(".value");
  const { expected, expected_interval: ends, count } = data.predicted_churners;
  await expect(value("Expected churners")).toHaveText(integer.format(expected));
  const figure = page.locator(".figure", { has: page.getByRole("heading", { name: "Expected churners" }) });
  await expect(figure).toContainText(`${integer.format(count)} customers at high risk or above`);
  if (ends)
    await expect(figure).toContainText(`95% interval ${integer.format(ends.low)} to ${integer.format(ends.high)}`);
  await expect(value("Revenue at risk")).toHaveText(`$${integer.format(data.revenue_at_risk?.total ?? Number.NaN)}`);
  await expect(value("Churn rate")).toHaveText(data.churn_rate ? `${(100 * data.churn_rate.rate).toFixed(1)}%` : "–");
  await expect(value("Model quality")).toHaveText((data.model?.roc_auc ?? Number.NaN).toFixed(3));
  await expect(page.locator(".heading")).toContainText(`of ${integer.format(data.customers.active)} active customers`);
  await expect(page.locator(".tag", { hasText: "synthetic" })).toBeVisible();
});

test("the churn rate names its month and its customers, and each month is in the plot's table", async ({
  page,
  api,
}) => {
  const { churn_rate: rate, churn_by_month: months } = (await api.getDashboardMetrics()).data;
  await page.goto("/");
  await settled(page);
  const figure = page.locator(".figure", { has: page.getByRole("heading", { name: "Churn rate" }) });
  const card = page.getByRole("region", { name: "Churn rate by month" });
  if (!rate) {
    await expect(card).toContainText("No churn rate yet");
    await expect(figure).toContainText(months.length ? "nothing is known" : "when it is over");
    return;
  }
  await expect(figure).toContainText(
    `${integer.format(rate.left)} of ${integer.format(rate.active_at_start)} customers who were active on`,
  );
  await card.getByText("View as a table").click();
  const left = await card.locator("tbody td:nth-child(3)").allInnerTexts();
  expect(left).toEqual(months.map((month) => integer.format(month.left)).reverse());
});

test("the histogram shows a single plan, and its figures as a table", async ({ page, api }) => {
  const { data } = await api.getDistribution();
  await page.goto("/");
  const card = page.getByRole("region", { name: "Churn probability" });
  const shown = async () => {
    const cells = await card.locator("tbody td:nth-child(2)").allInnerTexts();
    return cells.map((cell) => Number(cell.replaceAll(",", "")));
  };
  await card.getByText("View as a table").click();
  await expect(card.getByRole("table")).toBeVisible();
  expect(await shown()).toEqual(data.counts);
  const [group] = data.groups;
  await card.getByRole("button", { name: group?.group ?? "", exact: true }).click();
  expect(await shown()).toEqual(group?.counts);
  await expect(card.getByRole("img")).toHaveAttribute("aria-label", /Histogram of churn probability/);
});

test("the factors equal the API's factors, strongest first, each with its direction", async ({ page, api }) => {
  const { data } = await api.getTopFeatures();
  await page.goto("/");
  const card = page.getByRole("region", { name: "Top factors" });
  const lines = card.getByRole("listitem");
  await expect(lines).toHaveCount(Math.min(8, data.length));
  await expect(lines.first()).toContainText(data[0]?.label ?? "");
  await expect(lines.first()).toContainText(`±${data[0]?.points.toFixed(1)}`);
  await expect(lines.first()).toContainText(/raise the risk|lower the risk|depends/);
});

test("the call list is one click away", async ({ page }) => {
  await page.goto("/");
  await page.getByRole("link", { name: "Call list" }).click();
  await expect(page.getByRole("heading", { level: 1, name: /At risk/ })).toBeVisible();
});
