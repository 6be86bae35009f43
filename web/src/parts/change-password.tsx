import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { useAction } from "../loading";
import { changePassword } from "../session";
import { Dialog } from "./dialog";
import { PasswordField } from "./fields";
import { Failure } from "./states";
import { tell } from "./toasts";

/** A person's change of password, in a dialog. */
export function ChangePassword({ close }: { close: () => void }) {
  return (
    <Dialog title="Change password" close={close}>
      <PasswordForm currentLabel="Current password" done={close} />
    </Dialog>
  );
}

interface PasswordFormProps {
  currentLabel: string;
  done: () => void;
  /** A second button, beside that of the form. */
  second?: ComponentChildren;
  /** What stands above the fields. */
  children?: ComponentChildren;
}

/** The fields of a change of password. */
export function PasswordForm({ currentLabel, done, second, children }: PasswordFormProps) {
  const [current, setCurrent] = useState("");
  const [next, setNext] = useState("");
  const change = useAction(changePassword);
  const refused = (field: string) => change.error?.errors.find((error) => error.field === `body.${field}`)?.detail;
  const submit = async (event: Event) => {
    event.preventDefault();
    if (await change.run(current, next)) {
      tell("Password changed.");
      done();
    }
  };
  return (
    <form onSubmit={submit}>
      {children}
      <PasswordField label={currentLabel} value={current} change={setCurrent} error={refused("current_password")} />
      <PasswordField label="New password" value={next} change={setNext} error={refused("new_password")} fresh />
      {change.error && !change.error.errors.length ? <Failure error={change.error} /> : null}
      <footer>
        {second}
        <button type="submit" class="primary" disabled={change.busy}>
          {change.busy ? "Changing…" : "Change password"}
        </button>
      </footer>
    </form>
  );
}
