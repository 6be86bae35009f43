/** Every page at three widths: accessible, with nothing cut off and without words of programs. */
import { test } from "./fixtures";
import { looksRight } from "./looks";

const WIDTHS = [1440, 1024, 390];

const PAGES: [name: string, path: string][] = [
  ["overview", "/"],
  ["at-risk", "/at-risk"],
  ["segments", '/segments?a=plan.in.["basic"]&compare=b&b=plan.in.["premium"]'],
  ["model", "/model"],
  ["data", "/data"],
  ["users", "/users"],
  ["explorer", "/explorer"],
  ["not-found", "/nowhere"],
];

for (const width of WIDTHS)
  test.describe(`${width} pixels wide`, () => {
    test.use({ viewport: { width, height: width > 1000 ? 900 : 844 } });

    for (const [name, path] of PAGES)
      test(name, async ({ page, screenshots }) => {
        await page.goto(path);
        await looksRight(page, `${screenshots}/${name}-${width}.png`);
      });

    test("customer", async ({ page, api, screenshots }) => {
      const [customer] = (await api.getHighRiskCustomers(1, 1)).data;
      await page.goto(`/customers/${customer?.customer_id}`);
      await looksRight(page, `${screenshots}/customer-${width}.png`);
    });

    test.describe("signed out", () => {
      test.use({ role: null });

      test("sign-in", async ({ page, screenshots }) => {
        await page.goto("/");
        await page.getByLabel("Password").waitFor();
        await looksRight(page, `${screenshots}/sign-in-${width}.png`);
      });
    });
  });
