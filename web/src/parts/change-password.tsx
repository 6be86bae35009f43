import { useState } from "preact/hooks";
import { useAction } from "../loading";
import { changePassword } from "../session";
import { Dialog } from "./dialog";
import { PasswordField } from "./fields";
import { Failure } from "./states";
import { tell } from "./toasts";

export function ChangePassword({ close }: { close: () => void }) {
  const [current, setCurrent] = useState("");
  const [next, setNext] = useState("");
  const change = useAction(changePassword);
  const submit = async (event: Event) => {
    event.preventDefault();
    if (await change.run(current, next)) {
      tell("Password changed.");
      close();
    }
  };
  return (
    <Dialog title="Change password" close={close}>
      <form onSubmit={submit}>
        <PasswordField label="Current password" value={current} change={setCurrent} />
        <PasswordField label="New password" value={next} change={setNext} fresh />
        {change.error ? <Failure error={change.error} /> : null}
        <footer>
          <button type="submit" class="primary" disabled={change.busy}>
            {change.busy ? "Changing…" : "Change password"}
          </button>
        </footer>
      </form>
    </Dialog>
  );
}
