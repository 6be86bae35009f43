import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";

interface FieldProps {
  label: string;
  hint?: string;
  error?: string;
  children: (attributes: {
    id: string;
    "aria-describedby": string | undefined;
    "aria-invalid": boolean;
  }) => ComponentChildren;
}

/** A labelled input with its hint and what the API said against its value. */
export function Field({ label, hint, error, children }: FieldProps) {
  const id = useId();
  const told = error ?? hint;
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children({ id, "aria-describedby": told ? `${id}-told` : undefined, "aria-invalid": Boolean(error) })}
      {told ? (
        <small id={`${id}-told`} class={error ? "wrong" : undefined}>
          {told}
        </small>
      ) : null}
    </div>
  );
}

interface ChoiceProps<T extends string> {
  label: string;
  value: T;
  options: readonly (readonly [T, string])[];
  choose: (value: T) => void;
}

/** One of a few, all in sight. */
export function Choice<T extends string>({ label, value, options, choose }: ChoiceProps<T>) {
  return (
    <fieldset class="choice">
      <legend>{label}</legend>
      {options.map(([option, text]) => (
        <button key={option} type="button" aria-pressed={option === value} onClick={() => choose(option)}>
          {text}
        </button>
      ))}
    </fieldset>
  );
}

interface SelectProps<T extends string> extends ChoiceProps<T> {
  hint?: string;
}

/** One of many. */
export function Select<T extends string>({ label, value, options, choose, hint }: SelectProps<T>) {
  return (
    <Field label={label} hint={hint}>
      {(attributes) => (
        <select {...attributes} value={value} onChange={(event) => choose(event.currentTarget.value as T)}>
          {options.map(([option, text]) => (
            <option key={option} value={option}>
              {text}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

interface PasswordFieldProps {
  label: string;
  value: string;
  change: (value: string) => void;
  fresh?: boolean;
  hint?: string;
  error?: string;
}

/** A password: the one in use, or a fresh one with what is asked of it. */
export function PasswordField({ label, value, change, fresh, hint, error }: PasswordFieldProps) {
  const asked = fresh ? ["8 to 128 characters, hard to guess.", hint].filter(Boolean).join(" ") : hint;
  return (
    <Field label={label} hint={asked} error={error}>
      {(attributes) => (
        <input
          {...attributes}
          type="password"
          autocomplete={fresh ? "new-password" : "current-password"}
          required
          minLength={fresh ? 8 : undefined}
          value={value}
          onInput={(event) => change(event.currentTarget.value)}
        />
      )}
    </Field>
  );
}
