import { NumberInput } from "./fields";
import { LevelChoice, LevelsChoice } from "./level-choice";
import { type Column, levelsOf, optionsOf } from "./schema";
import { type Bound, type Criterion, firstBound, type Operator, operatorsOf, takesNoBound } from "./segment-query";

interface CriterionInputProps {
  column: Column;
  criterion: Criterion;
  change: (criterion: Criterion) => void;
  remove: () => void;
}

/** A condition: a column, a comparison and a value. */
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
          aria-label={`${column.label}: comparison`}
          value={criterion.operator}
          onChange={(event) => compare(event.currentTarget.value as Operator)}
        >
          {operators.map(([operator, text]) => (
            <option key={operator} value={operator}>
              {text}
            </option>
          ))}
        </select>
      ) : (
        <span>{operators[0]?.[1]}</span>
      )}
      {takesNoBound(criterion.operator) ? null : (
        <BoundInput column={column} criterion={criterion} choose={(bound) => change({ ...criterion, bound })} />
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
  choose: (bound: Bound) => void;
}

function BoundInput({ column, criterion: { operator, bound }, choose }: BoundInputProps) {
  const label = `${column.label}: value`;
  if (Array.isArray(bound))
    return <LevelsChoice label={column.label} levels={levelsOf(column)} chosen={bound} choose={choose} />;
  switch (column.kind) {
    case "category":
    case "boolean":
      return (
        <LevelChoice
          key={operator}
          aria-label={label}
          options={optionsOf(column)}
          value={String(bound)}
          choose={(value) => choose(column.kind === "boolean" ? value === "true" : value)}
        />
      );
    case "date":
      return (
        <input
          type="date"
          aria-label={label}
          value={typeof bound === "string" ? bound : ""}
          onChange={(event) => choose(event.currentTarget.value || null)}
        />
      );
    default:
      return (
        <span class="measure">
          <NumberInput
            step="any"
            aria-label={label}
            placeholder={column.min != null && column.max != null ? `${column.min}–${column.max}` : "value"}
            value={typeof bound === "number" ? bound : null}
            choose={choose}
          />
          {column.unit ? <small>{column.unit}</small> : null}
        </span>
      );
  }
}
