import { useEffect, useRef, useState } from "preact/hooks";
import { dateTime } from "../formats";
import { useLoaded, useRepeated } from "../loading";
import { Card } from "../parts/card";
import { Show, Waiting } from "../parts/states";
import { api, authorization } from "../session";
import "../styles/api.css";

interface SwaggerOptions {
  url: string;
  domNode: Element;
  deepLinking: boolean;
  filter: boolean;
  tryItOutEnabled: boolean;
  defaultModelsExpandDepth: number;
  presets: unknown[];
  requestInterceptor: (request: { headers: Record<string, string> }) => unknown;
  onComplete: () => void;
}

declare global {
  interface Window {
    SwaggerUIBundle?: ((options: SwaggerOptions) => void) & { presets: { apis: unknown } };
  }
}

const DOCS = "/api/docs";

/** The service's health, and all routes with forms that send requests with the account of the person signed in. */
export default function ApiExplorer() {
  return (
    <>
      <div class="heading">
        <div>
          <h1>API</h1>
          <p class="quiet">Requests from this page use your account.</p>
        </div>
        <a class="button" href="/api/openapi.json" target="_blank" rel="noreferrer">
          OpenAPI document
        </a>
      </div>
      <Service />
      <Explorer />
    </>
  );
}

function Service() {
  const health = useLoaded(() => api.healthDetails(), []);
  useRepeated(health.reload, 15, true);
  return (
    <Card title="Service health" note="Checked every 15 seconds">
      <Show of={health} lines={2}>
        {({ data }) => (
          <>
            <dl class="facts">
              <div>
                <dt>Service</dt>
                <dd>{data.status}</dd>
              </div>
              <div>
                <dt>Read</dt>
                <dd>{dateTime(data.checked_at)}</dd>
              </div>
              <div>
                <dt>Version</dt>
                <dd>{data.version}</dd>
              </div>
              <div>
                <dt>Tables</dt>
                <dd>{data.dependencies.tables}</dd>
              </div>
              <div>
                <dt>Bucket</dt>
                <dd>{data.dependencies.bucket}</dd>
              </div>
              <div>
                <dt>Model</dt>
                <dd>{data.model ? data.model.version : data.dependencies.model}</dd>
              </div>
            </dl>
            {data.advice.map((problem) => (
              <p key={problem}>{problem}</p>
            ))}
          </>
        )}
      </Show>
    </Card>
  );
}

function Explorer() {
  const place = useRef<HTMLDivElement>(null);
  const [ready, setReady] = useState(false);
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    loadSwagger()
      .then((swagger) => {
        if (!place.current) return;
        swagger({
          url: "/api/openapi.json",
          domNode: place.current,
          deepLinking: false,
          filter: true,
          tryItOutEnabled: true,
          defaultModelsExpandDepth: -1,
          presets: [swagger.presets.apis],
          requestInterceptor: (request) =>
            Object.assign(request, { headers: { ...request.headers, ...authorization() } }),
          onComplete: () => setReady(true),
        });
      })
      .catch(() => setFailed(true));
  }, []);
  return (
    <section class="explorer" aria-label="Routes">
      {failed ? <p class="wrong">The API explorer could not be loaded. Open {DOCS} instead.</p> : null}
      {ready || failed ? null : <Waiting what="Loading the routes" />}
      <div ref={place} />
    </section>
  );
}

async function loadSwagger(): Promise<NonNullable<Window["SwaggerUIBundle"]>> {
  if (!window.SwaggerUIBundle) {
    const style = document.createElement("link");
    Object.assign(style, { rel: "stylesheet", href: `${DOCS}/swagger-ui.min.css` });
    document.head.append(style);
    const script = document.createElement("script");
    script.src = `${DOCS}/swagger-ui-bundle.min.js`;
    const loaded = new Promise((resolve, reject) => {
      script.onload = resolve;
      script.onerror = reject;
    });
    document.head.append(script);
    await loaded;
  }
  if (!window.SwaggerUIBundle) throw new Error("The explorer's script does not define SwaggerUIBundle.");
  return window.SwaggerUIBundle;
}
