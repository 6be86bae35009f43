import { useState } from "preact/hooks";
import { Forbidden, NotSignedIn, RateLimited, type RetainStreamError } from "../../../client/api-client.js";
import { useAction } from "../loading";
import { Field, PasswordField } from "../parts/fields";
import { Failure } from "../parts/states";
import { expired, register, signIn } from "../session";

/** Sign in, or make an account where the stack allows it. */
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
        <p class="promise">Who is about to leave, why, what it is worth, and what to do about it.</p>
        {expired.value ? <p class="told">Your session has ended. Sign in again to go on where you were.</p> : null}
        {registering ? (
          <Field label="Name">
            {(attributes) => (
              <input
                {...attributes}
                autocomplete="name"
                maxLength={100}
                value={name}
                onInput={(event) => setName(event.currentTarget.value)}
              />
            )}
          </Field>
        ) : null}
        <Field label="E-mail">
          {(attributes) => (
            <input
              {...attributes}
              type="email"
              autocomplete="username"
              required
              value={email}
              onInput={(event) => setEmail(event.currentTarget.value)}
            />
          )}
        </Field>
        <PasswordField label="Password" value={password} change={setPassword} fresh={registering} />
        {enter.error ? <Refused error={enter.error} registering={registering} /> : null}
        <button type="submit" class="primary" disabled={enter.busy}>
          {enter.busy ? "One moment …" : registering ? "Make an account" : "Sign in"}
        </button>
        <button type="button" class="plain" onClick={() => setRegistering(!registering)}>
          {registering ? "I have an account" : "I have no account yet"}
        </button>
      </form>
    </main>
  );
}

function Refused({ error, registering }: { error: RetainStreamError; registering: boolean }) {
  if (error instanceof NotSignedIn)
    return (
      <p class="wrong" role="alert">
        E-mail or password is not right.
      </p>
    );
  if (error instanceof RateLimited)
    return (
      <p class="wrong" role="alert">
        {error.message}
      </p>
    );
  if (registering && error instanceof Forbidden)
    return (
      <p class="wrong" role="alert">
        {error.message} Ask your administrator for an account.
      </p>
    );
  return <Failure error={error} />;
}
