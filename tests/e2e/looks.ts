import AxeBuilder from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { expect, settled } from "./fixtures";

/** Keeps a picture of the whole page; fails on words of programs, on what is cut off at the right, and on grave findings of axe. */
export async function looksRight(page: Page, screenshot: string): Promise<void> {
  await settled(page);
  await page.screenshot({ path: screenshot, fullPage: true });
  expect(await page.locator("body").innerText()).not.toMatch(/undefined|NaN|Infinity|\[object|\bnull\b/);
  const beyond = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  expect(beyond, "pixels beyond the right edge").toBeLessThanOrEqual(0);
  const { violations } = await new AxeBuilder({ page }).analyze();
  const grave = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
  expect(grave.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`)).toEqual([]);
}
