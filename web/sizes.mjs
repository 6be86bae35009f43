/** Compressed bytes of the first page load, compared with the budget. Plots load later and are listed separately. */
import { readdirSync, readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const BUDGET = 150_000;
const folder = new URL("./dist/", import.meta.url);
const manifest = JSON.parse(readFileSync(new URL(".vite/manifest.json", folder), "utf8"));
const size = (file) => gzipSync(readFileSync(new URL(file, folder))).length;

const first = new Set(["index.html"]);
const add = (name) => {
  const chunk = manifest[name];
  for (const file of [chunk.file, ...(chunk.css ?? [])]) first.add(file);
  for (const imported of chunk.imports ?? []) add(imported);
};
for (const name of ["index.html", "src/pages/overview.tsx"]) add(name);

const total = [...first].reduce((sum, file) => sum + size(file), 0);
const plots = readdirSync(new URL("assets/", folder)).filter((file) => !first.has(`assets/${file}`));
const rest = plots.reduce((sum, file) => sum + size(`assets/${file}`), 0);
console.log(
  `First load of the overview: ${(total / 1000).toFixed(1)} kB compressed (budget ${BUDGET / 1000}); loaded later: ${(rest / 1000).toFixed(1)} kB`,
);
if (total > BUDGET) process.exit(1);
