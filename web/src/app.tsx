import type { ComponentType } from "preact";
import { useEffect } from "preact/hooks";
import { ErrorBoundary, LocationProvider, lazy, Route, Router } from "preact-iso";
import { useAction } from "./loading";
import { FirstPassword } from "./pages/first-password";
import { SignIn } from "./pages/sign-in";
import { Shell } from "./parts/shell";
import { Crash, Failure, NotLoaded, Waiting } from "./parts/states";
import { person, resume } from "./session";

const Overview = page(() => import("./pages/overview"));
const AtRisk = page(() => import("./pages/at-risk"));
const Customer = page(() => import("./pages/customer"));
const Segments = page(() => import("./pages/segments"));
const Model = page(() => import("./pages/model"));
const Data = page(() => import("./pages/data"));
const OwnData = page(() => import("./pages/own-data"));
const Users = page(() => import("./pages/users"));
const Api = page(() => import("./pages/api"));
const NotFound = page(() => import("./pages/not-found"));

/** A page that loads when it is opened; without a network, or after a newer build was published, a notice replaces it. */
function page<P>(load: () => Promise<{ default: ComponentType<P> }>) {
  return lazy<ComponentType<P>>(() => load().catch(() => ({ default: NotLoaded as ComponentType<P> })));
}

/** The dashboard: the sign-in page, the page of the first password, or the shell with the page of the address. */
export function App() {
  const start = useAction(resume);
  useEffect(() => {
    void start.run();
  }, []);
  if (person.value === undefined) {
    if (start.error) return <Failure error={start.error} retry={() => void start.run()} />;
    return <Waiting what="Signing in" />;
  }
  if (person.value === null) return <SignIn />;
  if (person.value.must_change_password) return <FirstPassword />;
  return (
    <LocationProvider>
      <Shell>
        <ErrorBoundary onError={(error) => console.error(error)}>
          <Crash>
            <Router>
              <Route path="/" component={Overview} />
              <Route path="/at-risk" component={AtRisk} />
              <Route path="/customers/:id" component={Customer} />
              <Route path="/segments" component={Segments} />
              <Route path="/model" component={Model} />
              <Route path="/data" component={Data} />
              <Route path="/data/own" component={OwnData} />
              <Route path="/users" component={Users} />
              <Route path="/explorer" component={Api} />
              <Route default component={NotFound} />
            </Router>
          </Crash>
        </ErrorBoundary>
      </Shell>
    </LocationProvider>
  );
}
