/** Fixtures of all tests: an account of each role, a page signed in as one of them, and a watch on console errors and foreign requests. */
import { type Browser, type BrowserContext, test as base, expect, type Page } from "@playwright/test";
import RetainStreamAPI, { Conflict } from "../../client/api-client.js";

export type Role = "viewer" | "analyst" | "admin";

interface Account {
  email: string;
  password: string;
}

export interface Options {
  /** The role of the account that is signed in at the start; null for no account. */
  role: Role | null;
  /** The folder of screenshots. */
  screenshots: string;
}

interface Fixtures extends Options {
  /** Allows console errors that the test causes itself. */
  provoked: (error: RegExp) => void;
  /** The API with the account of the administrator, from Node. */
  api: RetainStreamAPI;
}

interface Shared {
  url: string;
  accounts: Record<Role, Account>;
  sessions: (role: Role) => Promise<string>;
  origins: string[];
}

export const ADMINISTRATOR: Account = { email: "alex.chen@netflix.com", password: "password" };
export const PASSWORD = "Tern-over-grey-water-7";
export const FIRST_PASSWORD = "Plover-under-blue-ice-3";

export const test = base.extend<Fixtures, Shared>({
  role: ["admin", { option: true }],
  screenshots: ["screenshots", { option: true }],

  url: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads what a fixture needs from its pattern
    async ({}, use, { project }) => {
      await use(String(project.use.baseURL));
    },
    { scope: "worker" },
  ],

  accounts: [
    async ({ url }, use) => {
      const admin = await signedIn(url, ADMINISTRATOR);
      const viewer = { email: "vera@example.org", password: PASSWORD };
      const analyst = { email: "anna@example.org", password: PASSWORD };
      await addUser(url, admin, viewer, "Vera Viewer", "viewer");
      await addUser(url, admin, analyst, "Anna Analyst", "analyst");
      await use({ viewer, analyst, admin: ADMINISTRATOR });
    },
    { scope: "worker" },
  ],

  sessions: [
    async ({ browser, url, accounts }, use) => {
      const kept = new Map<Role, string>();
      await use(async (role) => {
        const session = kept.get(role) ?? (await sessionOf(browser, url, accounts[role]));
        kept.set(role, session);
        return session;
      });
    },
    { scope: "worker" },
  ],

  origins: [
    async ({ url }, use) => {
      const policy = (await fetch(url)).headers.get("content-security-policy") ?? "";
      const connect = /connect-src ([^;]+)/.exec(policy)?.[1] ?? "";
      await use([url, ...connect.split(" ").filter((source) => source.startsWith("http"))]);
    },
    { scope: "worker" },
  ],

  api: async ({ url }, use) => {
    await use(await signedIn(url, ADMINISTRATOR));
  },

  provoked: [
    async ({ context, origins }, use) => {
      const allowed: RegExp[] = [];
      const errors: string[] = [];
      const foreign: string[] = [];
      watch(context, origins, errors, foreign);
      await use((error) => allowed.push(error));
      expect(foreign, "requests to other hosts").toEqual([]);
      const unexpected = errors.filter((error) => !allowed.some((pattern) => pattern.test(error)));
      expect(unexpected, "errors of the console").toEqual([]);
    },
    { auto: true },
  ],

  page: async ({ page, role, sessions }, use) => {
    if (role) await page.addInitScript(restore, await sessions(role));
    await use(page);
  },
});

export { expect };

function watch(context: BrowserContext, origins: string[], errors: string[], foreign: string[]): void {
  context.on("console", (message) => {
    if (message.type() === "error") errors.push(`${message.text()} ${message.location().url}`);
  });
  context.on("weberror", (error) => errors.push(String(error.error())));
  context.on("request", (request) => {
    const { protocol, origin } = new URL(request.url());
    if (protocol.startsWith("http") && !origins.includes(origin)) foreign.push(request.url());
  });
}

async function sessionOf(browser: Browser, url: string, account: Account): Promise<string> {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(url);
  await signIn(page, account);
  await page.getByRole("heading", { level: 1, name: "Overview" }).waitFor();
  const session = await page.evaluate(() => JSON.stringify({ ...sessionStorage }));
  await context.close();
  return session;
}

/** Runs in the page: a new tab starts signed in; later changes of the session stay. */
function restore(session: string): void {
  if (window.name === "restored") return;
  window.name = "restored";
  for (const [key, value] of Object.entries(JSON.parse(session))) sessionStorage.setItem(key, String(value));
}

export async function signIn(page: Page, { email, password }: Account): Promise<void> {
  await page.getByLabel("E-mail").fill(email);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
}

export async function signedIn(url: string, { email, password }: Account): Promise<RetainStreamAPI> {
  const api = new RetainStreamAPI(url);
  await api.login(email, password);
  return api;
}

/** Creates an account, unless it exists, and changes its first password. */
async function addUser(url: string, admin: RetainStreamAPI, account: Account, name: string, role: Role): Promise<void> {
  try {
    await admin.addUser({ email: account.email, password: FIRST_PASSWORD, name, role });
  } catch (error) {
    if (!(error instanceof Conflict)) throw error;
    return;
  }
  const user = await signedIn(url, { email: account.email, password: FIRST_PASSWORD });
  await user.changePassword(FIRST_PASSWORD, account.password);
}

/** Waits until nothing is loading and every plot is drawn. */
export async function settled(page: Page): Promise<void> {
  await expect(page.getByRole("heading", { level: 1 }).or(page.locator("h3"))).not.toHaveCount(0);
  await expect(page.locator(".skeleton, .waiting, .stale, [aria-busy=true]")).toHaveCount(0);
  await expect(page.locator(".chart div[role=img]:not(:has(svg))")).toHaveCount(0);
}
