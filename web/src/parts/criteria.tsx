import { useRef } from "preact/hooks";
import { count } from "../formats";
import "../styles/criteria.css";
import { CriterionInput } from "./criterion-input";
import { Select } from "./fields";
import { LEVELS, Level, type RiskLevel } from "./level";
import type { FeatureSchema } from "./schema";
import { type Criterion, complete, firstCriterion, type Segment } from "./segment-query";

interface CriteriaProps {
  schema: FeatureSchema;
  segment: Segment;
  change: (segment: Segment) => void;
}

const MOST_CRITERIA = 20;

/** Builds a segment from risk levels and conditions on the schema's columns; all conditions must hold. */
export function Criteria({ schema, segment, change }: CriteriaProps) {
  const builder = useRef<HTMLDivElement>(null);
  const { criteria, levels } = segment;
  const columnOf = (name: string) => schema.columns.find((column) => column.name === name);
  const add = (name: string) => {
    const column = columnOf(name);
    if (column) change({ ...segment, criteria: [...criteria, firstCriterion(column)] });
  };
  const replace = (place: number, criterion: Criterion) =>
    change({ ...segment, criteria: criteria.with(place, criterion) });
  const choose = (changed: RiskLevel, chosen: boolean) =>
    change({ ...segment, levels: LEVELS.filter((level) => (level === changed ? chosen : levels.includes(level))) });
  const incomplete = criteria.filter((criterion) => !complete(criterion)).length;
  return (
    <div class="criteria" ref={builder}>
      <fieldset class="levels">
        <legend>Risk level{levels.length ? "" : " (any)"}</legend>
        {LEVELS.map((level) => (
          <label key={level}>
            <input
              type="checkbox"
              checked={levels.includes(level)}
              onChange={(event) => choose(level, event.currentTarget.checked)}
            />
            <Level level={level} />
          </label>
        ))}
      </fieldset>
      {criteria.length ? (
        <ul class="conditions" aria-label="Conditions (all must hold)">
          {criteria.map((criterion, place) => {
            const column = columnOf(criterion.column);
            return column ? (
              <li key={`${place} ${criterion.column}`}>
                <CriterionInput
                  column={column}
                  criterion={criterion}
                  change={(changed) => replace(place, changed)}
                  remove={() => {
                    change({ ...segment, criteria: criteria.toSpliced(place, 1) });
                    builder.current?.querySelector<HTMLElement>(":scope > .field select")?.focus();
                  }}
                />
              </li>
            ) : null;
          })}
        </ul>
      ) : null}
      {criteria.length < MOST_CRITERIA ? (
        <Select
          label="Add a condition"
          value=""
          choose={add}
          options={[["", "Choose a column…"], ...schema.columns.map(({ name, label }) => [name, label] as const)]}
        />
      ) : null}
      {incomplete ? (
        <p class="quiet" role="status">
          {incomplete === 1
            ? "1 condition has no value yet and is ignored."
            : `${count(incomplete)} conditions have no value yet and are ignored.`}
        </p>
      ) : null}
    </div>
  );
}
