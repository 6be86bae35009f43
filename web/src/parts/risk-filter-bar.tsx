import { useState } from "preact/hooks";
import { percent } from "../formats";
import { Choice, Field, Select } from "./fields";
import { boundary, type Floor, type Order, type RiskFilters } from "./risk-filters";
import { type FeatureSchema, groupColumn, levelsOf } from "./schema";

interface RiskFilterBarProps {
  schema: FeatureSchema;
  filters: RiskFilters;
  /** Of the model in service; without it there are no levels to choose. */
  threshold: number | null;
  narrow: (change: Partial<RiskFilters>) => void;
}

const FLOORS: [Floor, string][] = [
  ["medium", "Medium and above"],
  ["high", "High and critical"],
  ["critical", "Critical only"],
];

/** What the list of customers at risk is narrowed to and sorted by. */
export function RiskFilterBar({ schema, filters, threshold, narrow }: RiskFilterBarProps) {
  const group = groupColumn(schema);
  const floors = threshold === null ? FLOORS.slice(0, 1) : FLOORS;
  return (
    <search class="filters" aria-label="Filters">
      {schema.money ? (
        <div class="field broad">
          <span class="quiet">Highest first by</span>
          <Choice<Order>
            label="Highest first by"
            value={filters.sort}
            choose={(sort) => narrow({ sort })}
            options={[
              ["probability", "Probability"],
              ["value", "Value at risk"],
            ]}
          />
        </div>
      ) : null}
      <div class="broad">
        <Select
          label="Risk level"
          value={filters.from}
          choose={(from) => narrow({ from })}
          options={floors.map(([floor, text]) => [
            floor,
            threshold === null ? text : `${text} (from ${percent(boundary(floor, threshold), 0)})`,
          ])}
        />
      </div>
      {group ? (
        <Select
          label={group.label}
          value={filters.group}
          choose={(chosen) => narrow({ group: chosen })}
          options={[["", "All"], ...levelsOf(group).map((level) => [level, level] as const)]}
        />
      ) : null}
      <LeastProbability least={filters.least} choose={(least) => narrow({ least })} />
    </search>
  );
}

/** Chosen when the field is left; what is being typed stays, whatever arrives meanwhile. */
function LeastProbability({ least, choose }: { least: number | null; choose: (least: number | null) => void }) {
  const [typed, setTyped] = useState<string | null>(null);
  const chosen = least === null ? "" : String(Number((least * 100).toPrecision(6)));
  return (
    <Field label="Probability at least">
      {(attributes) => (
        <span class="with-unit">
          <input
            {...attributes}
            type="number"
            min={0}
            max={100}
            step="any"
            inputMode="decimal"
            placeholder="any"
            value={typed ?? chosen}
            onInput={({ currentTarget: { value } }) => setTyped(value)}
            onChange={({ currentTarget: { value } }) => {
              setTyped(null);
              choose(Number(value) > 0 ? Math.min(Number(value), 100) / 100 : null);
            }}
          />
          %
        </span>
      )}
    </Field>
  );
}
