import { PasswordForm } from "../parts/change-password";
import { person, signOut } from "../session";

/** The only page of a person whose password an administrator chose, until it is changed. */
export function FirstPassword() {
  return (
    <main class="sign-in">
      <div class="curtain" aria-hidden="true" />
      <PasswordForm
        currentLabel="Password from your administrator"
        done={() => {}}
        second={
          <button type="button" class="plain" onClick={() => void signOut()}>
            Sign out
          </button>
        }
      >
        <h1>
          <img src="/icon.svg" alt="" width="44" height="44" />
          Choose your password
        </h1>
        <p class="promise">
          Welcome, {person.value?.name}. An administrator chose your first password. Choose your own to continue.
        </p>
      </PasswordForm>
    </main>
  );
}
