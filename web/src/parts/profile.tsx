import { type FeatureSchema, type Features, valueText } from "./schema";

/** The customer's values, with the labels of the schema. */
export function Profile({ features, schema }: { features: Features; schema: FeatureSchema }) {
  return (
    <dl class="profile">
      {schema.columns.map((column) => {
        const value = features[column.name];
        return (
          <div key={column.name}>
            <dt title={column.meaning}>{column.label}</dt>
            <dd class={value === undefined || value === null ? "quiet" : undefined}>{valueText(column, value)}</dd>
          </div>
        );
      })}
    </dl>
  );
}
