/** Checks that the committed declarations of the client are up to date. */
import { readdirSync, readFileSync } from "node:fs";

const generated = new URL("../build/client-types/", import.meta.url);
const committed = new URL("../client/types/", import.meta.url);
const stale = readdirSync(generated).filter((name) => {
  try {
    return readFileSync(new URL(name, generated), "utf8") !== readFileSync(new URL(name, committed), "utf8");
  } catch {
    return true;
  }
});
if (stale.length) {
  console.error(`Out of date: ${stale.join(", ")} in client/types. Run make generate.`);
  process.exit(1);
}
