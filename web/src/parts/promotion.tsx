import { useState } from "preact/hooks";
import { useAction } from "../loading";
import { api, may } from "../session";
import { Confirm } from "./dialog";
import { Failure } from "./states";
import { tell } from "./toasts";

interface ChangeProps {
  label: string;
  title: string;
  explanation: string;
  primary?: boolean;
  act: () => Promise<unknown>;
  done: string;
  changed: () => void;
}

/** A button that asks for confirmation before it changes the model in service. */
function ChangeModel({ label, title, explanation, act, done, changed }: ChangeProps) {
  const [confirming, setConfirming] = useState(false);
  const change = useAction(act);
  const confirm = async () => {
    if (!(await change.run())) return;
    setConfirming(false);
    tell(done);
    changed();
  };
  return (
    <>
      <button type="button" onClick={() => setConfirming(true)}>
        {label}
      </button>
      {confirming ? (
        <Confirm title={title} action={label} busy={change.busy} confirm={confirm} close={() => setConfirming(false)}>
          <p>{explanation}</p>
          {change.error ? <Failure error={change.error} /> : null}
        </Confirm>
      ) : null}
    </>
  );
}

export function Promote({ version, changed }: { version: string; changed: () => void }) {
  return (
    <ChangeModel
      label="Promote"
      title={`Promote ${version}?`}
      explanation="New scores come from this version at once. Stored predictions stay until the next scoring run. You can roll back to the previous version."
      act={() => api.promote(version)}
      done={`${version} is in service.`}
      changed={changed}
    />
  );
}

export function Rollback({ previous, changed }: { previous: string | null | undefined; changed: () => void }) {
  if (!previous || !may("admin")) return null;
  return (
    <ChangeModel
      label="Roll back"
      title={`Roll back to ${previous}?`}
      explanation="New scores come from the previous version at once. Stored predictions stay until the next scoring run."
      act={() => api.rollback()}
      done={`${previous} is in service again.`}
      changed={changed}
    />
  );
}
