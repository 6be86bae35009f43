import { percent } from "../formats";
import { Choice, Field, NumberInput, Select } from "./fields";
import type { Bounds, Floor, Order, RiskFilters } from "./risk-filters";
import { type FeatureSchema, groupColumn, levelsOf } from "./schema";

interface RiskFilterBarProps {
  schema: FeatureSchema;
  filters: RiskFilters;
  /** The levels of the model in service; without a model there are none to choose. */
  bounds: Bounds | null;
  narrow: (change: Partial<RiskFilters>) => void;
}

const FLOORS: [Floor, string][] = [
  ["medium", "Medium and above"],
  ["high", "High and critical"],
  ["critical", "Critical only"],
];

/** Filters and order of the customers at risk. */
export function RiskFilterBar({ schema, filters, bounds, narrow }: RiskFilterBarProps) {
  const group = groupColumn(schema);
  const floors = bounds === null ? FLOORS.slice(0, 1) : FLOORS;
  return (
    <search class="filters" aria-label="Filters">
      {schema.money ? (
        <div class="field broad">
          <span class="quiet">Sort by</span>
          <Choice<Order>
            label="Sort by"
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
            bounds === null ? text : `${text} (from ${percent(bounds[floor])})`,
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
      <MinimumProbability least={filters.least} choose={(least) => narrow({ least })} />
    </search>
  );
}

function MinimumProbability({ least, choose }: { least: number | null; choose: (least: number | null) => void }) {
  return (
    <Field label="Minimum probability">
      {(attributes) => (
        <span class="with-unit">
          <NumberInput
            {...attributes}
            min={0}
            max={100}
            step="any"
            placeholder="any"
            value={least === null ? null : Number((least * 100).toPrecision(6))}
            choose={(percent) => choose(percent && percent > 0 ? Math.min(percent, 100) / 100 : null)}
          />
          %
        </span>
      )}
    </Field>
  );
}
