import { createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { defineConfig } from "@playwright/test";
import type { Options } from "./fixtures";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const BUILD = `${ROOT}build/e2e`;
const PYTHON = process.env.PYTHON ?? `${ROOT}.venv/bin/python`;

/** A stack as `make run` starts it, in a fresh folder, with rate limits for many tests in 15 minutes and short trainings. */
export async function stack(name: string, ...options: string[]) {
  process.env[`E2E_PORT_${name}`] ??= String(await freePort());
  const port = process.env[`E2E_PORT_${name}`];
  const parameters = [
    "RateLimitUser=100000",
    "RateLimitAnonymous=100000",
    "RateLimitRuns=100000",
    "TrainingSeconds=5",
  ].flatMap((parameter) => ["--parameter", parameter]);
  const words = ["-m", "local", "--port", port, "--data-dir", `${BUILD}/${name}`, "--reset", ...parameters, ...options];
  return {
    url: `http://localhost:${port}`,
    server: {
      name,
      command: [PYTHON, ...words].map((word) => `'${word}'`).join(" "),
      cwd: ROOT,
      env: { ...process.env, PARENT_PID: String(process.pid), PYTHONPATH: `${ROOT}layers/core` } as Record<
        string,
        string
      >,
      wait: { stdout: /Ready after/ },
      stderr: "ignore" as const,
      timeout: 180_000,
      gracefulShutdown: { signal: "SIGTERM" as const, timeout: 10_000 },
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

// A version that is as good as the champion replaces it at once, so that one training can show a promotion and a rollback.
const replaced = ["--parameter", "ChampionOldAfterDays=0"];
const streaming = await stack("streaming", "--customers", "1500", "--months", "0", ...replaced);
const telco = await stack("telco", "--schema", "examples/schemas/telco.yaml", "--data", `${BUILD}/telco.csv`);
const own = await stack("own", "--customers", "300", "--months", "0");
const running = process.env.E2E_URL;

export default defineConfig<Options>({
  testDir: ".",
  outputDir: `${BUILD}/results`,
  reporter: [["list"], ["html", { outputFolder: `${BUILD}/report`, open: "never" }]],
  workers: 1,
  forbidOnly: Boolean(process.env.CI),
  timeout: 60_000,
  globalTimeout: 30 * 60_000,
  expect: { timeout: 15_000 },
  use: {
    viewport: { width: 1440, height: 900 },
    locale: "en-GB",
    trace: "retain-on-failure",
    screenshots: `${BUILD}/screenshots`,
    launchOptions: {
      executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
      args: [
        ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
        "--disable-gpu",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
    },
  },
  projects: [
    {
      name: "streaming",
      testIgnore: ["telco.spec.ts", "own-data.spec.ts"],
      use: { baseURL: running ?? streaming.url },
    },
    { name: "own", testMatch: "own-data.spec.ts", use: { baseURL: running ?? own.url } },
    { name: "telco", testMatch: "telco.spec.ts", use: { baseURL: running ?? telco.url } },
  ],
  webServer: running ? [] : [streaming.server, telco.server, own.server],
});
