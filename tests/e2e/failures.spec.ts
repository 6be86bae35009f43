/** Failures of the API: the page shows the reason and recovers. */
import type { Page } from "@playwright/test";
import { expect, settled, test } from "./fixtures";

const METRICS = "**/api/dashboard/metrics";

/** The API answers with this problem until the route is removed. */
async function stub(page: Page, status: number, detail: string, retryAfter: number): Promise<void> {
  const problem = {
    type: `https://retainstream.dev/problems/${status}`,
    title: "Stubbed",
    status,
    detail,
    request_id: "r-stub",
  };
  await page.route(METRICS, (route) =>
    route.fulfill({
      status,
      headers: { "Retry-After": String(retryAfter), "Content-Type": "application/problem+json" },
      body: JSON.stringify(problem),
    }),
  );
}

test("a 503 shows when to try again, leaves the rest of the page alone, and ends with the next answer", async ({
  page,
  provoked,
}) => {
  provoked(/status of 503/);
  await stub(page, 503, "The tables do not answer.", 20);
  await page.goto("/");
  const failure = page.getByRole("alert").first();
  await expect(failure).toContainText("RetainStream is unavailable");
  await expect(failure).toContainText("The tables do not answer.");
  await expect(failure).toContainText("Try again in 20 seconds.");
  await expect(failure).toContainText("Request r-stub");
  await expect(page.getByRole("region", { name: "Top factors" }).getByRole("listitem").first()).toBeVisible();
  await page.unroute(METRICS);
  await failure.getByRole("button", { name: "Try again" }).click();
  await expect(page.locator(".figure")).toHaveCount(4);
  await settled(page);
});

test("a short pause passes without a message", async ({ page, provoked }) => {
  provoked(/status of 503/);
  let asked = 0;
  await page.route(METRICS, (route) =>
    asked++ ? route.continue() : route.fulfill({ status: 503, headers: { "Retry-After": "1" }, body: "" }),
  );
  await page.goto("/");
  await expect(page.locator(".figure")).toHaveCount(4);
  await expect(page.getByRole("alert")).toHaveCount(0);
  expect(asked).toBe(2);
});

test("a 429 shows the limit and when to try again", async ({ page, provoked }) => {
  provoked(/status of 429/);
  await stub(page, 429, "1,000 requests in 15 minutes are allowed.", 300);
  await page.goto("/");
  const failure = page.getByRole("alert").first();
  await expect(failure).toContainText("Too many requests");
  await expect(failure).toContainText("Try again in 5 minutes.");
});

test("without a network the page shows a failure, and it recovers with the network", async ({
  page,
  context,
  provoked,
}) => {
  test.setTimeout(90_000);
  provoked(/ERR_INTERNET_DISCONNECTED/);
  await page.goto("/");
  await settled(page);
  await context.setOffline(true);
  await page.getByRole("link", { name: "Segments" }).click();
  const failure = page.getByRole("alert").first();
  await expect(failure).toContainText("This page could not be loaded");
  await context.setOffline(false);
  await failure.getByRole("button", { name: "Try again" }).click();
  await expect(page.getByRole("heading", { level: 1, name: /Segments/ })).toBeVisible();
  await settled(page);
  await context.setOffline(true);
  await page.getByRole("button", { name: "Next" }).click();
  await expect(failure).toContainText("The API did not answer.", { timeout: 30_000 });
  await context.setOffline(false);
  await failure.getByRole("button", { name: "Try again" }).click();
  await expect(page.getByText(/^11–20 of/)).toBeVisible();
});

test("an unknown address has a page that says so", async ({ page }) => {
  await page.goto("/nowhere/at/all");
  await expect(page.getByRole("heading", { name: "Page not found" })).toBeVisible();
  await page.getByRole("link", { name: "Go to the overview" }).click();
  await expect(page.getByRole("heading", { level: 1, name: /Overview/ })).toBeVisible();
});

test("an answer without JSON is a failure", async ({ page, provoked }) => {
  provoked(/status of 502/);
  await page.route(METRICS, (route) =>
    route.fulfill({ status: 502, contentType: "text/html", body: "<h1>Bad gateway</h1>" }),
  );
  await page.goto("/");
  await expect(page.getByRole("alert").first()).toContainText("The API answered 502.", { timeout: 30_000 });
});
