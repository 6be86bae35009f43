import AxeBuilder from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { expect, settled } from "./fixtures";

/** Takes a screenshot of the whole page; fails on words of programs, on content beyond the right edge, and on serious findings of axe. */
export async function looksRight(page: Page, screenshot: string): Promise<void> {
  await settled(page);
  await page.screenshot({ path: screenshot, fullPage: true });
  expect(await page.locator("body").innerText()).not.toMatch(/undefined|NaN|Infinity|\[object|\bnull\b/);
  const beyond = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  expect(beyond, "pixels beyond the right edge").toBeLessThanOrEqual(0);
  const { violations } = await new AxeBuilder({ page }).analyze();
  const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
  expect(serious.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`)).toEqual([]);
}
