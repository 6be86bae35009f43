/** Takes the README's pictures of the dashboard: synthetic customers, 1440 by 900 pixels. `make pictures` runs it. */
import { fileURLToPath } from "node:url";
import { settled, test } from "./fixtures";

const FOLDER = fileURLToPath(new URL("../../docs/pictures/", import.meta.url));

const PICTURES: [file: string, path: string][] = [
  ["overview.png", "/"],
  ["at-risk.png", "/at-risk"],
];

for (const [file, path] of PICTURES)
  test(file, async ({ page }) => {
    await page.goto(path);
    await settled(page);
    await page.screenshot({ path: FOLDER + file });
  });
