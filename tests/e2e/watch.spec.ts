/** The watch of every test on the console and the network works: these tests are expected to fail. */
import { expect, test } from "./fixtures";

test.fail("a request to another host fails a test", async ({ page, provoked }) => {
  provoked(/./);
  await page.goto("/");
  await page.evaluate(() =>
    document.body.append(Object.assign(new Image(), { src: "http://elsewhere.invalid/x.png" })),
  );
  await page.evaluate(() => fetch("http://elsewhere.invalid/x").catch(() => {}));
});

test.fail("a breach of the content security policy fails a test", async ({ page }) => {
  await page.goto("/");
  await page.evaluate(() => {
    const script = document.createElement("script");
    script.textContent = "window.ran = true";
    document.head.append(script);
  });
});

test.fail("an error of the page fails a test", async ({ page }) => {
  await page.goto("/");
  await page.evaluate(() =>
    setTimeout(() => {
      throw new Error("thrown by the test");
    }),
  );
  await expect(page.getByRole("heading", { level: 1, name: /Overview/ })).toBeVisible();
});
