import { useState } from "preact/hooks";
import { useAction } from "../loading";
import { changePassword } from "../session";
import { Dialog } from "./dialog";
import { Field } from "./fields";
import { Failure } from "./states";
import { tell } from "./toasts";

export function ChangePassword({ close }: { close: () => void }) {
  const [current, setCurrent] = useState("");
  const [next, setNext] = useState("");
  const change = useAction(changePassword);
  const submit = async (event: Event) => {
    event.preventDefault();
    if (await change.run(current, next)) {
      tell("Your password is changed.");
      close();
    }
  };
  return (
    <Dialog title="Change password" close={close}>
      <form onSubmit={submit}>
        <Field label="Password now">
          {(attributes) => (
            <input
              {...attributes}
              type="password"
              autocomplete="current-password"
              required
              value={current}
              onInput={(event) => setCurrent(event.currentTarget.value)}
            />
          )}
        </Field>
        <Field label="New password" hint="8 to 128 characters">
          {(attributes) => (
            <input
              {...attributes}
              type="password"
              autocomplete="new-password"
              required
              minLength={8}
              maxLength={128}
              value={next}
              onInput={(event) => setNext(event.currentTarget.value)}
            />
          )}
        </Field>
        {change.error ? <Failure error={change.error} /> : null}
        <footer>
          <button type="submit" class="primary" disabled={change.busy}>
            {change.busy ? "Changing …" : "Change password"}
          </button>
        </footer>
      </form>
    </Dialog>
  );
}
