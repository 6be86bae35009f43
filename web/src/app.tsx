import { useEffect } from "preact/hooks";
import { ErrorBoundary, LocationProvider, lazy, Route, Router } from "preact-iso";
import { useAction } from "./loading";
import { SignIn } from "./pages/sign-in";
import { Shell } from "./parts/shell";
import { Crash, Failure, Waiting } from "./parts/states";
import { person, resume } from "./session";

const Overview = lazy(() => import("./pages/overview"));
const AtRisk = lazy(() => import("./pages/at-risk"));
const Customer = lazy(() => import("./pages/customer"));
const Segments = lazy(() => import("./pages/segments"));
const Model = lazy(() => import("./pages/model"));
const Data = lazy(() => import("./pages/data"));
const Users = lazy(() => import("./pages/users"));
const Api = lazy(() => import("./pages/api"));
const NotFound = lazy(() => import("./pages/not-found"));

/** The whole dashboard: the sign-in page, or the shell with the page of the address. */
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
