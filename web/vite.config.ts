import { defineConfig } from "vite";

export default defineConfig({
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: { target: "es2022", modulePreload: { polyfill: false }, manifest: true },
  server: { host: "127.0.0.1", proxy: { "/api/": process.env.API ?? "http://localhost:5000" } },
  preview: { host: "127.0.0.1" },
});
