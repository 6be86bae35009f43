import { defineConfig } from "vite";

/** The API client as a single file, served with the pages for use in other pages. */
export default defineConfig({
  publicDir: false,
  build: {
    target: "es2022",
    emptyOutDir: false,
    minify: false,
    lib: { entry: "../client/api-client.js", formats: ["es"], fileName: () => "api-client.js" },
  },
});
