/** Sign-in, sessions, sign-out and registration. */
import type { Page } from "@playwright/test";
import { ADMINISTRATOR, expect, FIRST_PASSWORD, PASSWORD, signIn, test } from "./fixtures";

test.use({ role: null });

const overview = { level: 1, name: /Overview/ };

test("a wrong password is refused, and the right password opens the overview", async ({ page, provoked }) => {
  provoked(/auth\/login/);
  await page.goto("/");
  await signIn(page, { ...ADMINISTRATOR, password: "not the password" });
  await expect(page.getByRole("alert")).toHaveText("Wrong e-mail or password.");
  await signIn(page, ADMINISTRATOR);
  await expect(page.getByRole("heading", overview)).toBeVisible();
  await expect(page).toHaveTitle("Overview · RetainStream");
});

test("wrong passwords have to wait and see for how long, and a browser that has signed in is known", async ({
  page,
  context,
  provoked,
}) => {
  provoked(/auth\/login/);
  const guessed = { email: "guessed@example.com", password: "not the password" };
  for (let wait = 0; wait <= 3; ) {
    const answer = await page.request.post("/api/auth/login", { data: guessed });
    wait = Number(answer.headers()["retry-after"] ?? 0);
    if (wait <= 3) await new Promise((done) => setTimeout(done, 1000 * wait));
  }
  await page.goto("/");
  await signIn(page, guessed);
  await expect(page.getByRole("alert")).toHaveText(/^Too many wrong passwords\. Try again in \d+ seconds\.$/);
  await signIn(page, ADMINISTRATOR);
  await expect(page.getByRole("heading", overview)).toBeVisible();
  const known = (await context.cookies(`${new URL(page.url()).origin}/api/auth/login`)).filter(
    (cookie) => cookie.name === "__Secure-retainstream_browser",
  );
  expect(known).toMatchObject([{ path: "/api/auth/login", httpOnly: true, secure: true, sameSite: "Strict" }]);
  expect(await page.evaluate(() => document.cookie)).toBe("");
});

test("a first password is changed before anything else", async ({ page, api, provoked }) => {
  provoked(/auth\/password/);
  const email = `first-${Date.now()}@example.org`;
  await api.addUser({ email, password: FIRST_PASSWORD, name: "Fay First", role: "analyst" });
  await page.goto("/model");
  await signIn(page, { email, password: FIRST_PASSWORD });
  const heading = page.getByRole("heading", { level: 1, name: "Choose your password" });
  await expect(heading).toBeVisible();
  await expect(page.getByText("Welcome, Fay First.")).toBeVisible();
  await page.reload();
  await expect(heading).toBeVisible();
  await expect(page.getByRole("navigation")).toHaveCount(0);

  await page.getByLabel("Password from your administrator").fill(FIRST_PASSWORD);
  await page.getByLabel("New password").fill("summer2026!");
  await page.getByRole("button", { name: "Change password" }).click();
  await expect(page.getByLabel("New password")).toHaveAttribute("aria-invalid", "true");
  await expect(page.getByText("is too easy to guess: choose a few unrelated words")).toBeVisible();
  await page.getByLabel("New password").fill(FIRST_PASSWORD);
  await page.getByRole("button", { name: "Change password" }).click();
  await expect(page.getByText("is your current password; choose another one")).toBeVisible();

  await page.getByLabel("New password").fill(PASSWORD);
  await page.getByRole("button", { name: "Change password" }).click();
  await expect(page.getByRole("heading", { level: 1, name: /Model/ })).toBeVisible();
  await expect(page.getByText("Password changed.")).toBeVisible();
  await page.getByText("Fay First").click();
  await page.getByRole("button", { name: "Sign out" }).click();
  await signIn(page, { email, password: PASSWORD });
  await expect(page.getByRole("heading", { level: 1, name: /Model/ })).toBeVisible();
});

test("a reload keeps the session, signing out ends it, and another tab does not have it", async ({ page, context }) => {
  await page.goto("/at-risk");
  await signIn(page, ADMINISTRATOR);
  await expect(page.getByRole("heading", { level: 1, name: /At risk/ })).toBeVisible();
  await page.reload();
  await expect(page.getByRole("heading", { level: 1, name: /At risk/ })).toBeVisible();
  const other = await context.newPage();
  await other.goto("/");
  await expect(other.getByLabel("Password")).toBeVisible();
  await other.close();
  const token = await page.evaluate(() => JSON.stringify({ ...sessionStorage }));
  await page.getByText("Alex Chen").click();
  await page.getByRole("button", { name: "Sign out" }).click();
  await expect(page.getByLabel("Password")).toBeVisible();
  expect(token).toContain("token");
  expect(await page.evaluate(() => ({ ...sessionStorage, ...localStorage }))).toEqual({});
});

/** Changes the session that the tab stores. */
function keep(page: Page, change: { token?: string; expiresAt?: string }): Promise<void> {
  return page.evaluate((changed) => {
    const [key = ""] = Object.keys(sessionStorage);
    sessionStorage.setItem(key, JSON.stringify({ ...JSON.parse(sessionStorage.getItem(key) ?? "{}"), ...changed }));
  }, change);
}

for (const [why, change] of [
  ["the API refuses its token", { token: `${"A".repeat(40)}.${"B".repeat(80)}.${"C".repeat(86)}` }],
  ["it has expired", { expiresAt: "2020-01-01T00:00:00Z" }],
] as const)
  test(`a session that ended because ${why} shows a notice, and signing in returns to the same page`, async ({
    page,
    provoked,
  }) => {
    provoked(/status of 401/);
    await page.goto("/model");
    await signIn(page, ADMINISTRATOR);
    await expect(page.getByRole("heading", { level: 1, name: /Model/ })).toBeVisible();
    await keep(page, change);
    await page.reload();
    await expect(page.getByText("Your session has ended")).toBeVisible();
    await signIn(page, ADMINISTRATOR);
    await expect(page.getByRole("heading", { level: 1, name: /Model/ })).toBeVisible();
    await expect(page.getByText("Your session has ended")).toHaveCount(0);
  });

test("a refused registration names the administrator", async ({ page, provoked }) => {
  provoked(/auth\/register/);
  await page.goto("/");
  await page.getByRole("button", { name: "Create an account" }).click();
  await page.getByLabel("Name").fill("Nora New");
  await page.getByLabel("E-mail").fill("nora@example.org");
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Create account" }).click();
  await expect(page.getByRole("alert")).toContainText("Ask your administrator for an account.");
});
