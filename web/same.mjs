/** The client's committed declarations are those its source gives. */
import { readdirSync, readFileSync } from "node:fs";

const made = new URL("../build/client-types/", import.meta.url);
const committed = new URL("../client/types/", import.meta.url);
const stale = readdirSync(made).filter((name) => {
  try {
    return readFileSync(new URL(name, made), "utf8") !== readFileSync(new URL(name, committed), "utf8");
  } catch {
    return true;
  }
});
if (stale.length) {
  console.error(`Out of date: ${stale.join(", ")} in client/types. Run make generate.`);
  process.exit(1);
}
