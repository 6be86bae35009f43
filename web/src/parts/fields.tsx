import type { ComponentChildren } from "preact";
import { useId, useState } from "preact/hooks";

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

/** A labelled input with its hint, or with the API's objection to its value. */
export function Field({ label, hint, error, children }: FieldProps) {
  const id = useId();
  const note = error ?? hint;
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children({ id, "aria-describedby": note ? `${id}-note` : undefined, "aria-invalid": Boolean(error) })}
      {note ? (
        <small id={`${id}-note`} class={error ? "wrong" : undefined}>
          {note}
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

/** A choice from a few options, all in sight. */
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

/** A choice from a few long options, one below the other. */
export function Radios<T extends string>({ label, value, options, choose }: ChoiceProps<T>) {
  const name = useId();
  return (
    <fieldset class="radios">
      <legend>{label}</legend>
      {options.map(([option, text]) => (
        <label key={option}>
          <input type="radio" name={name} checked={option === value} onChange={() => choose(option)} />
          {text}
        </label>
      ))}
    </fieldset>
  );
}

interface SelectProps<T extends string> extends ChoiceProps<T> {
  hint?: string;
}

/** A choice from many options. */
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

interface TextFieldProps {
  label: string;
  value: string;
  change: (value: string) => void;
  hint?: string;
  error?: string;
  type?: "text" | "email" | "password" | "date";
  autocomplete?: string;
  required?: boolean;
  minLength?: number;
  maxLength?: number;
  max?: string;
}

/** A labelled line of text, or a date. */
export function TextField({ label, hint, error, change, type = "text", ...input }: TextFieldProps) {
  return (
    <Field label={label} hint={hint} error={error}>
      {(attributes) => (
        <input
          {...attributes}
          {...input}
          type={type as "text"}
          onInput={(event) => change(event.currentTarget.value)}
        />
      )}
    </Field>
  );
}

interface PasswordFieldProps extends Pick<TextFieldProps, "label" | "value" | "change" | "hint" | "error"> {
  /** A new password, with its requirements, instead of the current one. */
  fresh?: boolean;
}

export function PasswordField({ fresh, hint, ...field }: PasswordFieldProps) {
  if (!fresh) return <TextField {...field} hint={hint} type="password" autocomplete="current-password" required />;
  const requirements = ["8 to 128 characters, hard to guess.", hint].filter(Boolean).join(" ");
  return (
    <TextField {...field} hint={requirements} type="password" autocomplete="new-password" required minLength={8} />
  );
}

interface NumberInputProps {
  value: number | null;
  /** Called when the field is left or Enter is pressed; null when the field is empty. */
  choose: (value: number | null) => void;
  min?: number;
  max?: number;
  step?: number | "any";
  placeholder?: string;
  id?: string;
  "aria-label"?: string;
  "aria-describedby"?: string;
  "aria-invalid"?: boolean;
}

/** A number. The text that is being typed stays when the page is drawn again. */
export function NumberInput({ value, choose, ...input }: NumberInputProps) {
  const [typed, setTyped] = useState<string | null>(null);
  return (
    <input
      {...input}
      type="number"
      inputMode="decimal"
      value={typed ?? value ?? ""}
      onInput={(event) => setTyped(event.currentTarget.value)}
      onChange={({ currentTarget: { value: text } }) => {
        setTyped(null);
        choose(text === "" ? null : Number(text));
      }}
      onBlur={() => setTyped(null)}
    />
  );
}
