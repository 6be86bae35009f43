import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { useLocation } from "preact-iso";
import { useLoaded } from "../loading";
import { api, may, person, type Role, signOut } from "../session";
import { ChangePassword } from "./change-password";
import { Toasts } from "./toasts";

interface Place {
  path: string;
  title: string;
  icon: string;
  role: Role;
}

const PLACES: Place[] = [
  { path: "/", title: "Overview", icon: "M3 12h4l3-8 4 16 3-8h4", role: "viewer" },
  { path: "/at-risk", title: "At risk", icon: "M12 3l9 17H3zM12 9v5M12 17v.5", role: "viewer" },
  { path: "/segments", title: "Segments", icon: "M12 3v9h9a9 9 0 1 1-9-9zM15 3a9 9 0 0 1 6 6h-6z", role: "viewer" },
  { path: "/model", title: "Model", icon: "M5 20V10M12 20V4M19 20v-7", role: "viewer" },
  {
    path: "/data",
    title: "Data",
    icon: "M4 6c0-4 16-4 16 0v12c0 4-16 4-16 0zM4 6c0 4 16 4 16 0M4 12c0 4 16 4 16 0",
    role: "viewer",
  },
  { path: "/users", title: "Users", icon: "M12 4a4 4 0 1 1 0 8 4 4 0 0 1 0-8zM4 20c1-7 15-7 16 0", role: "admin" },
  { path: "/explorer", title: "API", icon: "M8 7l-5 5 5 5M16 7l5 5-5 5M13 5l-2 14", role: "viewer" },
];

/** The frame of every page: navigation, account and service health. */
export function Shell({ children }: { children: ComponentChildren }) {
  const { path } = useLocation();
  const main = useRef<HTMLElement>(null);
  const here = PLACES.find((place) => (place.path === "/" ? path === "/" : path.startsWith(place.path)));
  useEffect(() => {
    document.title = `${here?.title ?? "Customer"} · RetainStream`;
    main.current?.focus({ preventScroll: true });
    scrollTo(0, 0);
  }, [path]);
  return (
    <div class="shell">
      <a class="skip" href="#main" target="_self">
        Skip to content
      </a>
      <header class="bar">
        <a class="brand" href="/">
          <img src="/icon.svg" alt="" width="28" height="28" />
          RetainStream
        </a>
        <nav aria-label="Pages">
          {PLACES.filter((place) => may(place.role)).map((place) => (
            <a key={place.path} href={place.path} aria-current={place === here ? "page" : undefined}>
              <svg viewBox="0 0 24 24" aria-hidden="true">
                <path d={place.icon} />
              </svg>
              {place.title}
            </a>
          ))}
        </nav>
        <Service />
        <Account />
      </header>
      <main id="main" ref={main} tabIndex={-1}>
        {children}
      </main>
      <Toasts />
    </div>
  );
}

function Service() {
  const health = useLoaded(() => api.healthDetails(), []).loading;
  const status = health.state === "failed" ? "down" : (health.data?.data.status ?? "checking");
  const text = {
    ok: "Service is healthy",
    degraded: "Service is degraded",
    down: "Service does not answer",
    checking: "Checking…",
  }[status];
  return (
    <p class="service" data-status={status}>
      <span aria-hidden="true" />
      {text}
    </p>
  );
}

function Account() {
  const [changing, setChanging] = useState(false);
  const own = person.value;
  if (!own) return null;
  return (
    <details class="account">
      <summary aria-label={`${own.name}, ${own.role}: account`}>
        <span class="avatar" aria-hidden="true">
          {own.name.slice(0, 1).toUpperCase()}
        </span>
        <span class="who">
          {own.name}
          <small>{String(own.role)}</small>
        </span>
      </summary>
      <div class="menu">
        <p class="quiet">{own.email}</p>
        <button type="button" onClick={() => setChanging(true)}>
          Change password
        </button>
        <button type="button" onClick={() => void signOut()}>
          Sign out
        </button>
      </div>
      {changing ? <ChangePassword close={() => setChanging(false)} /> : null}
    </details>
  );
}
