/**
 * Who is signed in, and the API in their name.
 *
 * The token lives in this module and, so that a reload does not sign people out, in the tab's session storage: another tab, another site
 * and the next start of the browser do not see it. A copy that was not used for an hour is thrown away, and signing out ends the token
 * itself. Scripts from elsewhere cannot run here: the content security policy allows only this site's own files.
 */
import { signal } from "@preact/signals";
import RetainStreamAPI, { type Schemas } from "../../client/api-client.js";

export type Person = Schemas["Person"];
export type Role = "viewer" | "analyst" | "admin";

const KEPT = "retainstream.session";
const IDLE_MILLISECONDS = 60 * 60 * 1000;
const RANKS: Role[] = ["viewer", "analyst", "admin"];

interface Kept {
  token: string;
  expiresAt: string;
  usedAt: number;
}

/** The person signed in; null when nobody is, undefined until it is known. */
export const person = signal<Person | null | undefined>(undefined);
/** Whether the last session ended by itself. */
export const expired = signal(false);

export const api = new RetainStreamAPI("", {
  longestWait: 3000, // a person rather reads when to try again than waits without a word
  onSignedOut: () => {
    forget();
    expired.value = true;
    person.value = null;
  },
});

/** Sign in with the token of this tab's last visit, if it is still good. */
export async function resume(): Promise<void> {
  const was = sessionStorage.getItem(KEPT) !== null;
  const kept = read();
  if (!kept) {
    expired.value = was;
    forget();
    person.value = null;
    return;
  }
  api.setToken(kept.token);
  const { data } = await api.getMe();
  person.value = data;
  use(kept);
}

export async function signIn(email: string, password: string): Promise<void> {
  welcome((await api.login(email, password)).data);
}

export async function register(email: string, password: string, name: string): Promise<void> {
  welcome((await api.register(email, password, name)).data);
}

export async function changePassword(current: string, next: string): Promise<void> {
  welcome((await api.changePassword(current, next)).data);
}

export async function signOut(): Promise<void> {
  try {
    await api.logout();
  } finally {
    forget();
    person.value = null;
  }
}

/** The headers that say who asks, for requests that do not go through `api`. */
export function authorization(): Record<string, string> {
  const kept = read();
  return kept ? { Authorization: `Bearer ${kept.token}` } : {};
}

/** Whether the person signed in has at least this role. */
export function may(role: Role): boolean {
  const own = person.value?.role as Role | undefined;
  return own !== undefined && RANKS.indexOf(own) >= RANKS.indexOf(role);
}

function welcome(signedIn: Schemas["SignedIn"]): void {
  expired.value = false;
  use({ token: signedIn.token, expiresAt: signedIn.expires_at, usedAt: 0 });
  person.value = signedIn.user;
}

function use(kept: Kept): void {
  sessionStorage.setItem(KEPT, JSON.stringify({ ...kept, usedAt: Date.now() }));
}

function read(): Kept | null {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? "null") as Kept | null;
    if (kept && Date.parse(kept.expiresAt) > Date.now() && Date.now() - kept.usedAt < IDLE_MILLISECONDS) return kept;
  } catch {
    // what is stored is not ours
  }
  return null;
}

function forget(): void {
  api.setToken(null);
  sessionStorage.removeItem(KEPT);
}

document.addEventListener("visibilitychange", () => {
  const kept = document.visibilityState === "hidden" && read();
  if (kept) use(kept);
});
