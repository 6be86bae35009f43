/**
 * The person who is signed in, and the API with their token.
 *
 * The token is kept in this module and in the tab's session storage, so that a reload does not sign the person out. Other tabs, other
 * sites and the next start of the browser do not see it. The stored copy expires after an hour without use, and signing out revokes the
 * token. Scripts from other sites cannot run here: the content security policy allows only this site's files.
 */
import { signal } from "@preact/signals";
import RetainStreamAPI, { type Schemas } from "../../client/api-client.js";

export type Person = Schemas["Person"];
export type Role = "viewer" | "analyst" | "admin";

const STORED = "retainstream.session";
const IDLE_MILLISECONDS = 60 * 60 * 1000;
const RANKS: Role[] = ["viewer", "analyst", "admin"];

interface StoredSession {
  token: string;
  expiresAt: string;
  usedAt: number;
}

/** The person signed in; null without a session, undefined until the session is checked. */
export const person = signal<Person | null | undefined>(undefined);
/** Whether the last session expired. */
export const expired = signal(false);

export const api = new RetainStreamAPI("", {
  longestWait: 3000, // for a longer pause, the page shows when to try again
  onSignedOut: () => {
    forget();
    expired.value = true;
    person.value = null;
  },
});

/** Resumes the session of this tab, if its token is still valid. */
export async function resume(): Promise<void> {
  const stored = sessionStorage.getItem(STORED) !== null;
  const session = read();
  if (!session) {
    expired.value = stored;
    forget();
    person.value = null;
    return;
  }
  api.setToken(session.token);
  const { data } = await api.getMe();
  person.value = data;
  use(session);
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

/** The authorization header, for requests that do not go through `api`. */
export function authorization(): Record<string, string> {
  const session = read();
  return session ? { Authorization: `Bearer ${session.token}` } : {};
}

/** Whether the person signed in has at least this role. */
export function may(role: Role): boolean {
  const held = person.value?.role as Role | undefined;
  return held !== undefined && RANKS.indexOf(held) >= RANKS.indexOf(role);
}

function welcome(signedIn: Schemas["SignedIn"]): void {
  expired.value = false;
  use({ token: signedIn.token, expiresAt: signedIn.expires_at, usedAt: 0 });
  person.value = signedIn.user;
}

function use(session: StoredSession): void {
  sessionStorage.setItem(STORED, JSON.stringify({ ...session, usedAt: Date.now() }));
}

function read(): StoredSession | null {
  try {
    const session = JSON.parse(sessionStorage.getItem(STORED) ?? "null") as StoredSession | null;
    if (session && Date.parse(session.expiresAt) > Date.now() && Date.now() - session.usedAt < IDLE_MILLISECONDS)
      return session;
  } catch {
    // the stored text is not a session
  }
  return null;
}

function forget(): void {
  api.setToken(null);
  sessionStorage.removeItem(STORED);
}

document.addEventListener("visibilitychange", () => {
  const session = document.visibilityState === "hidden" && read();
  if (session) use(session);
});
