/** A customer: reasons, what-if and outcome. */
import type RetainStreamAPI from "../../client/api-client.js";
import { expect, settled, test } from "./fixtures";

const wholeDay = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeZone: "UTC" });

async function riskiest(api: RetainStreamAPI, place = 0) {
  const [customer] = (await api.getHighRiskCustomers(1, 20)).data.slice(place);
  if (!customer) throw new Error("no customer is at risk");
  return customer;
}

test("from the list to the customer: probability, reasons that add up, action", async ({ page, api }) => {
  const customer = await riskiest(api);
  await page.goto("/at-risk");
  await page.getByRole("link", { name: customer.customer_id }).click();
  await settled(page);
  await expect(page.getByRole("heading", { level: 1 })).toContainText(customer.customer_id);
  const verdict = page.getByRole("region", { name: "Prediction", exact: true });
  await expect(verdict).toContainText(`${(100 * customer.probability).toFixed(1)}% ${customer.level}`);
  await expect(page.getByRole("region", { name: "Recommended action" })).toContainText(
    customer.action?.title ?? "No action",
  );
  const numbers = await page.locator(".waterfall tbody td.number").allInnerTexts();
  const values = numbers.map((text) => Number(text.replace("−", "-").replace(/[±+ %]/g, "")));
  const own = values.pop() ?? Number.NaN;
  const sum = values.reduce((all, value) => all + value, 0);
  expect(Math.abs(sum - own)).toBeLessThan(0.06 * values.length);
});

test("a slider changes the probability and stores nothing", async ({ page, api }) => {
  const customer = await riskiest(api, 1);
  await page.goto(`/customers/${customer.customer_id}`);
  await settled(page);
  const card = page.getByRole("region", { name: "What if" });
  const slider = card.getByRole("slider", { name: "Last login" });
  await slider.focus();
  await page.keyboard.press("Home");
  await expect(card.locator(".before-after")).toBeVisible();
  const [now, then] = await card.locator(".before-after b").allInnerTexts();
  expect(now).toBe(`${(100 * customer.probability).toFixed(1)}%`);
  expect(Number.parseFloat(then ?? "")).toBeLessThan(Number.parseFloat(now ?? ""));
  const asked = { customer_id: customer.customer_id, changes: { last_login_days: 0 } };
  const { data } = await api.whatIf(asked);
  expect(then).toBe(`${(100 * data.after.probability).toFixed(1)}%`);
  await card.getByRole("button", { name: /Reset 1 change/ }).click();
  await expect(card.locator(".before-after")).toHaveCount(0);
  expect((await api.getCustomer(customer.customer_id)).data.prediction?.probability).toBe(customer.probability);
});

test("a recorded outcome is shown and removes the customer from the list", async ({ page, api }) => {
  const customer = await riskiest(api, 2);
  await page.goto(`/customers/${customer.customer_id}`);
  const card = page.getByRole("region", { name: "Outcome" });
  await card.getByRole("button", { name: "The customer left" }).click();
  const yesterday = new Date(Date.now() - 86_400_000).toISOString().slice(0, 10);
  await page.getByLabel("Left on").fill(yesterday);
  await page.getByRole("dialog").getByRole("button", { name: "Record" }).click();
  await expect(page.getByText(`Recorded: ${customer.customer_id} left.`)).toBeVisible();
  await expect(card.locator(".outcome")).toHaveText("Left");
  await expect(page.getByRole("region", { name: "Time as a customer" })).toContainText(
    `Left on ${wholeDay.format(new Date(yesterday))}`,
  );
  await expect(page.locator(".tag.gone")).toHaveText("has left");
  const { data } = await api.getCustomer(customer.customer_id);
  expect([data.churned, data.life.left_on, data.life.left_on_exact]).toEqual([true, yesterday, true]);
  const listed = (await api.getHighRiskCustomers(1, 20)).data.map(({ customer_id }) => customer_id);
  expect(listed).not.toContain(customer.customer_id);
});

test("a customer who left on an unknown day has a range, and a timeline shows both", async ({ page, api }) => {
  const customer = await riskiest(api, 3);
  await page.goto(`/customers/${customer.customer_id}`);
  const life = page.getByRole("region", { name: "Time as a customer" });
  await expect(life).toContainText(/Customer since|First seen on/);
  await page.getByRole("button", { name: "The customer left" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Record" }).click();
  await expect(life).toContainText(/Left (between|on or before)/);
  const { data } = await api.getCustomer(customer.customer_id);
  expect([data.churned, data.life.left_on_exact]).toEqual([true, false]);
  const plot = page.getByRole("region", { name: "Timeline" }).getByRole("img");
  await expect(plot.locator("svg").last()).toBeVisible();
  await expect(plot).toHaveAttribute("aria-label", /Left (between|on or before).* prediction/);
});

test("a future outcome is refused beside its field, and Escape closes the dialog", async ({ page, api, provoked }) => {
  provoked(/outcome/);
  const customer = await riskiest(api, 4);
  await page.goto(`/customers/${customer.customer_id}`);
  await page.getByRole("button", { name: "The customer stayed" }).click();
  const tomorrow = new Date(Date.now() + 3 * 86_400_000).toISOString().slice(0, 10);
  await page.getByLabel("Still a customer on").fill(tomorrow);
  await page.getByRole("button", { name: "Record" }).click();
  await expect(page.getByRole("dialog").locator("small.wrong")).not.toBeEmpty();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog")).toHaveCount(0);
  expect((await api.getCustomer(customer.customer_id)).data.churned).toBeNull();
});

test("an unknown customer has a page that says so", async ({ page, provoked }) => {
  provoked(/nobody-here/);
  await page.goto("/at-risk");
  await page.getByRole("textbox", { name: "Customer id" }).fill("nobody-here");
  await page.getByRole("button", { name: "Open" }).click();
  await expect(page.getByRole("heading", { name: "There is no customer nobody-here" })).toBeVisible();
});

for (const id of ["jane.doe@example.com", "4.711"]) {
  test(`the page of the customer ${id} survives a reload`, async ({ page, api }) => {
    const { data } = await api.getCustomer((await riskiest(api)).customer_id);
    await api.putCustomer(id, data.features);
    try {
      await page.goto(`/customers/${encodeURIComponent(id)}`);
      await expect(page.getByRole("heading", { level: 1 })).toContainText(id);
      await page.reload();
      await settled(page);
      await expect(page.getByRole("heading", { level: 1 })).toContainText(id);
    } finally {
      await api.deleteCustomer(id);
    }
  });
}
