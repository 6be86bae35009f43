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

/** A button that asks before it changes which model everybody's score comes from. */
function ChangeModel({ label, title, explanation, act, done, changed }: ChangeProps) {
  const [asking, setAsking] = useState(false);
  const change = useAction(act);
  const confirm = async () => {
    if (!(await change.run())) return;
    setAsking(false);
    tell(done);
    changed();
  };
  return (
    <>
      <button type="button" onClick={() => setAsking(true)}>
        {label}
      </button>
      {asking ? (
        <Confirm title={title} action={label} busy={change.busy} confirm={confirm} close={() => setAsking(false)}>
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
      title={`Put ${version} into service?`}
      explanation="New scores come from it at once. Stored predictions keep theirs until everybody is scored again. The version before can be put back."
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
      title={`Back to ${previous}?`}
      explanation="New scores come from the version before at once. Stored predictions keep theirs until everybody is scored again."
      act={() => api.rollback()}
      done={`${previous} is in service again.`}
      changed={changed}
    />
  );
}
