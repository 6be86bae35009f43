import { defineConfig } from "vite";

/** The API client as one file, served beside the pages for other people's pages. */
export default defineConfig({
  publicDir: false,
  build: {
    target: "es2022",
    emptyOutDir: false,
    minify: false,
    lib: { entry: "../client/api-client.js", formats: ["es"], fileName: () => "api-client.js" },
  },
});
