import { type Column, levelsOf } from "./schema";
import { type Bound, type Criterion, firstBound, type Operator, operatorsOf, takesNoBound } from "./segment-query";

interface CriterionInputProps {
  column: Column;
  criterion: Criterion;
  change: (criterion: Criterion) => void;
  remove: () => void;
}

/** One condition: a column, how it is compared, and with what. */
export function CriterionInput({ column, criterion, change, remove }: CriterionInputProps) {
  const operators = operatorsOf(column);
  const compare = (operator: Operator) => {
    const keep = !takesNoBound(operator) && !takesNoBound(criterion.operator) && column.kind !== "category";
    change({ ...criterion, operator, bound: keep ? criterion.bound : firstBound(column, operator) });
  };
  return (
    <fieldset class="condition" data-kind={column.kind}>
      <legend title={column.meaning}>{column.label}</legend>
      {operators.length > 1 ? (
        <select
          aria-label={`How ${column.label} is compared`}
          value={criterion.operator}
          onChange={(event) => compare(event.currentTarget.value as Operator)}
        >
          {operators.map(([operator, words]) => (
            <option key={operator} value={operator}>
              {words}
            </option>
          ))}
        </select>
      ) : (
        <span>{operators[0]?.[1]}</span>
      )}
      {takesNoBound(criterion.operator) ? null : (
        <BoundInput column={column} criterion={criterion} give={(bound) => change({ ...criterion, bound })} />
      )}
      <button
        type="button"
        class="plain remove"
        aria-label={`Remove the condition on ${column.label}`}
        onClick={remove}
      >
        ×
      </button>
    </fieldset>
  );
}

interface BoundInputProps {
  column: Column;
  criterion: Criterion;
  give: (bound: Bound) => void;
}

function BoundInput({ column, criterion: { operator, bound }, give }: BoundInputProps) {
  const label = `${column.label}: value`;
  if (Array.isArray(bound)) return <LevelsInput column={column} chosen={bound} give={give} />;
  switch (column.kind) {
    case "category":
    case "boolean": {
      const options = column.kind === "boolean" ? ["true", "false"] : levelsOf(column);
      return (
        <select
          key={operator}
          aria-label={label}
          value={String(bound)}
          onChange={({ currentTarget: { value } }) => give(column.kind === "boolean" ? value === "true" : value)}
        >
          {options.map((option) => (
            <option key={option} value={option}>
              {column.kind === "boolean" ? (option === "true" ? "yes" : "no") : option}
            </option>
          ))}
        </select>
      );
    }
    case "date":
      return (
        <input
          type="date"
          aria-label={label}
          value={typeof bound === "string" ? bound : ""}
          onChange={(event) => give(event.currentTarget.value || null)}
        />
      );
    default:
      return (
        <span class="measure">
          <input
            type="number"
            step="any"
            aria-label={label}
            placeholder={column.min != null && column.max != null ? `${column.min} – ${column.max}` : "value"}
            value={typeof bound === "number" ? bound : ""}
            onChange={({ currentTarget: { value } }) => give(value === "" ? null : Number(value))}
          />
          {column.unit ? <small>{column.unit}</small> : null}
        </span>
      );
  }
}

function LevelsInput({ column, chosen, give }: { column: Column; chosen: string[]; give: (bound: Bound) => void }) {
  return (
    <div class="choices">
      {levelsOf(column).map((level) => (
        <label key={level}>
          <input
            type="checkbox"
            checked={chosen.includes(level)}
            onChange={(event) =>
              give(
                levelsOf(column).filter((one) => (one === level ? event.currentTarget.checked : chosen.includes(one))),
              )
            }
          />
          {level}
        </label>
      ))}
    </div>
  );
}
