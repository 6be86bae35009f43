import { defineConfig } from "@playwright/test";
import type { Options } from "./fixtures";
import tests, { stack } from "./playwright.config";

const { url, server } = await stack("pictures", "--customers", "5000", "--months", "0");

export default defineConfig<Options>({
  ...tests,
  testMatch: "pictures.ts",
  reporter: "list",
  projects: [{ name: "pictures", use: { baseURL: url } }],
  webServer: [server],
});
