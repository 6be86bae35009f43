import { Field, NumberInput, TextField } from "./fields";
import { LevelChoice } from "./level-choice";
import { type Column, optionsOf, sliderRange, type Value, valueText } from "./schema";

interface WhatIfInputProps {
  column: Column;
  /** As stored. */
  original: Value;
  value: Value;
  change: (value: Value) => void;
}

const UNKNOWN = "\u0000unknown";

/** A field for another value of a column: a slider for numbers, a choice for other kinds. */
export function WhatIfInput(props: WhatIfInputProps) {
  const { column, original, value } = props;
  const changed = value !== original;
  return (
    <div class="what-if-input" data-changed={changed}>
      {column.kind === "number" || column.kind === "integer" ? <SliderInput {...props} /> : <ChoiceInput {...props} />}
      {changed ? <small class="was">now {valueText(column, original)}</small> : null}
    </div>
  );
}

function SliderInput({ column, original, value, change }: WhatIfInputProps) {
  const known = typeof original === "number" ? original : null;
  const { min, max, step } = sliderRange(column, known);
  const shown = typeof value === "number" ? value : null;
  const choose = (number: number | null) => {
    if (number === null || !Number.isFinite(number)) return;
    change(Math.min(Math.max(column.kind === "integer" ? Math.round(number) : number, min), max));
  };
  return (
    <>
      <Field label={column.label}>
        {(attributes) => (
          <input
            {...attributes}
            type="range"
            min={min}
            max={max}
            step={step}
            value={shown ?? min}
            aria-valuetext={valueText(column, shown)}
            title={column.meaning}
            onInput={(event) => choose(Number(event.currentTarget.value))}
          />
        )}
      </Field>
      <span class="exact">
        <NumberInput
          aria-label={`${column.label}, exact value`}
          min={min}
          max={max}
          step={column.kind === "integer" ? 1 : "any"}
          value={shown}
          placeholder="?"
          choose={choose}
        />
        <small>{column.unit}</small>
        {column.missing ? (
          <label class="unknown">
            <input
              type="checkbox"
              checked={shown === null}
              onChange={(event) => change(event.currentTarget.checked ? null : (known ?? min))}
            />
            unknown
          </label>
        ) : null}
      </span>
    </>
  );
}

function ChoiceInput({ column, original, value, change }: WhatIfInputProps) {
  if (column.kind === "date")
    return (
      <TextField
        label={column.label}
        type="date"
        value={typeof value === "string" ? value : ""}
        change={(date) => {
          if (date || column.missing || original === null) change(date || null);
        }}
      />
    );
  const options = optionsOf(column);
  if (column.missing || original === null) options.push([UNKNOWN, "unknown"]);
  const chosen = (text: string): Value => {
    if (text === UNKNOWN) return null;
    return column.kind === "boolean" ? text === "true" : text;
  };
  return (
    <Field label={column.label}>
      {(attributes) => (
        <LevelChoice
          {...attributes}
          title={column.meaning}
          options={options}
          value={value === null ? UNKNOWN : String(value)}
          choose={(text) => change(chosen(text))}
        />
      )}
    </Field>
  );
}
