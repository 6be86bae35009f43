import { useState } from "preact/hooks";
import { Forbidden, NotSignedIn, RateLimited, type RetainStreamError } from "../../../client/api-client.js";
import { useAction } from "../loading";
import { PasswordField, TextField } from "../parts/fields";
import { Failure } from "../parts/states";
import { expired, register, signIn } from "../session";

/** Sign-in, and registration where the stack allows it. */
export function SignIn() {
  const [registering, setRegistering] = useState(false);
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const [name, setName] = useState("");
  const enter = useAction(() => (registering ? register(email, password, name) : signIn(email, password)));
  const submit = (event: Event) => {
    event.preventDefault();
    void enter.run();
  };
  return (
    <main class="sign-in">
      <div class="curtain" aria-hidden="true" />
      <form onSubmit={submit}>
        <h1>
          <img src="/icon.svg" alt="" width="44" height="44" />
          RetainStream
        </h1>
        <p class="promise">See which customers may leave, why, what they are worth, and what to do about it.</p>
        {expired.value ? <p class="notice">Your session has ended. Sign in again to continue.</p> : null}
        {registering ? (
          <TextField label="Name" autocomplete="name" maxLength={100} value={name} change={setName} />
        ) : null}
        <TextField label="E-mail" type="email" autocomplete="username" required value={email} change={setEmail} />
        <PasswordField label="Password" value={password} change={setPassword} fresh={registering} />
        {enter.error ? <Refused error={enter.error} registering={registering} /> : null}
        <button type="submit" class="primary" disabled={enter.busy}>
          {enter.busy ? "One moment…" : registering ? "Create account" : "Sign in"}
        </button>
        <button type="button" class="plain" onClick={() => setRegistering(!registering)}>
          {registering ? "Sign in instead" : "Create an account"}
        </button>
      </form>
    </main>
  );
}

function Refused({ error, registering }: { error: RetainStreamError; registering: boolean }) {
  const text = refusalText(error, registering);
  if (!text) return <Failure error={error} />;
  return (
    <p class="wrong" role="alert">
      {text}
    </p>
  );
}

function refusalText(error: RetainStreamError, registering: boolean): string | null {
  if (error instanceof NotSignedIn) return "Wrong e-mail or password.";
  if (error instanceof RateLimited) return error.message;
  if (registering && error instanceof Forbidden) return `${error.message} Ask your administrator for an account.`;
  return null;
}
