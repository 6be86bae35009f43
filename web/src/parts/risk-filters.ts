/** Filters of the customers at risk, in the address and in the request to the API. */
export type Order = "probability" | "value";
export type Floor = "medium" | "high" | "critical";

export interface RiskFilters {
  group: string;
  /** The lowest level of the list; medium when the list is not narrowed. */
  from: Floor;
  /** A probability from 0 to 1. */
  least: number | null;
  sort: Order;
  cursor: string;
}

const NO_FILTERS: RiskFilters = { group: "", from: "medium", least: null, sort: "probability", cursor: "" };

export function filtersOf(query: Record<string, string | undefined>): RiskFilters {
  const percent = query.min ? Number(query.min) : Number.NaN;
  return {
    group: query.group ?? "",
    from: query.from === "high" || query.from === "critical" ? query.from : "medium",
    least: percent > 0 && percent <= 100 ? Number((percent / 100).toPrecision(6)) : null,
    sort: query.sort === "value" ? "value" : "probability",
    cursor: query.cursor ?? "",
  };
}

/** The address of a list, without the filters that are not set. */
export function addressOf(filters: Partial<RiskFilters>): string {
  const { group, from, least, sort, cursor } = { ...NO_FILTERS, ...filters };
  const query = new URLSearchParams();
  if (group) query.set("group", group);
  if (from !== "medium") query.set("from", from);
  if (least !== null) query.set("min", String(Number((least * 100).toPrecision(6))));
  if (sort !== "probability") query.set("sort", sort);
  if (cursor) query.set("cursor", cursor);
  return query.size ? `/at-risk?${query}` : "/at-risk";
}

/** The probabilities at which the levels of the model in service begin. */
export type Bounds = Record<Floor, number>;

/** The minimum probability of the request; undefined when no filter sets it. */
export function leastProbability(filters: RiskFilters, bounds: Bounds | null): number | undefined {
  const least = [filters.least, filters.from !== "medium" && bounds !== null && bounds[filters.from]];
  const set = least.filter((bound): bound is number => typeof bound === "number");
  return set.length ? Math.max(...set) : undefined;
}
