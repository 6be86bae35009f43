/** The one place where numbers, amounts and dates are written. */
const LANGUAGE = "en";
const integer = new Intl.NumberFormat(LANGUAGE, { maximumFractionDigits: 0 });
const hundredths = new Intl.NumberFormat(LANGUAGE, { maximumFractionDigits: 2 });
const day = new Intl.DateTimeFormat(LANGUAGE, { dateStyle: "medium" });
const moment = new Intl.DateTimeFormat(LANGUAGE, { dateStyle: "medium", timeStyle: "short" });
const calendarDay = new Intl.DateTimeFormat(LANGUAGE, { dateStyle: "medium", timeZone: "UTC" });
const dayOfYear = new Intl.DateTimeFormat(LANGUAGE, { month: "long", day: "numeric", timeZone: "UTC" });
const calendarMonth = new Intl.DateTimeFormat(LANGUAGE, { month: "long", year: "numeric", timeZone: "UTC" });
const relative = new Intl.RelativeTimeFormat(LANGUAGE, { numeric: "auto" });

export const NOTHING = "–";

export const count = (value: number | null | undefined): string => (value == null ? NOTHING : integer.format(value));

/** A number of things, as in "1 customer" and "1,234 customers". */
export const counted = (value: number, thing: string): string => `${count(value)} ${thing}${value === 1 ? "" : "s"}`;

/** The place of a page's rows in their list, as in "21–40". */
export const rowRange = (start: number, rows: number): string => `${count(start + 1)}–${count(start + rows)}`;

/** A share of 1 as a percentage; a small share is not rounded to 0%, nor a large one to 100%. */
export function percent(share: number | null | undefined, digits = 1): string {
  if (share == null) return NOTHING;
  const least = 10 ** -digits;
  const rounded = Number((share * 100).toFixed(digits));
  if (share > 0 && rounded === 0) return `< ${least.toFixed(digits)}%`;
  if (share < 1 && rounded === 100) return `> ${(100 - least).toFixed(digits)}%`;
  return `${rounded.toFixed(digits)}%`;
}

/** A range of shares, as in "between 12% and 19%"; a narrow range has a decimal. */
export function shareRange({ low, high }: { low: number; high: number }): string {
  const digits = high - low < 0.03 ? 1 : 0;
  if (low === 0) return `at most ${percent(high, digits)}`;
  if (high === 1) return `at least ${percent(low, digits)}`;
  return `between ${percent(low, digits)} and ${percent(high, digits)}`;
}

/** A difference with its sign, as in "+3.2". */
export const signed = (value: number | null | undefined, digits = 1): string =>
  value == null ? NOTHING : `${sign(value, digits)}${Math.abs(value).toFixed(digits)}`;

/** A difference in percentage points, as in "+3.2 points". */
export const points = (value: number): string => `${signed(value)} points`;

/** A size in percentage points, without a sign, as in "3.2 points". */
export const pointSize = (value: number): string => `${Math.abs(value).toFixed(1)} points`;

/** A difference in money, with its sign. */
export const moneyChange = (value: number, currency: string | null | undefined): string =>
  `${sign(value, 0)}${money(Math.abs(value), currency, 0)}`;

export const decimal = (value: number | null | undefined, digits = 3): string =>
  value == null ? NOTHING : value.toFixed(digits);

/** The best ROC AUC on synthetic customers, and the share of it that a model reaches above chance, which is 0.5. */
export const bestPossible = (auc: number | null | undefined, ceiling: number): string => {
  const best = `best possible on this synthetic data: ${decimal(ceiling)}`;
  return auc == null
    ? best
    : `${best} (${percent((auc - 0.5) / (ceiling - 0.5), 0)} of it reached, counted from chance)`;
};

export function money(value: number | null | undefined, currency: string | null | undefined, digits?: number): string {
  if (value == null) return NOTHING;
  const fractions = digits ?? (Math.abs(value) < 100 ? 2 : 0);
  const options = { minimumFractionDigits: fractions, maximumFractionDigits: fractions };
  if (!currency) return new Intl.NumberFormat(LANGUAGE, options).format(value);
  return new Intl.NumberFormat(LANGUAGE, { style: "currency", currency, ...options }).format(value);
}

export const date = (iso: string | null | undefined): string => (iso ? day.format(new Date(iso)) : NOTHING);

export const dateTime = (iso: string | null | undefined): string => (iso ? moment.format(new Date(iso)) : NOTHING);

/** A day of the calendar, such as 2026-10-31, which is the same day in every time zone: "Oct 31, 2026". */
export const wholeDay = (day: string | null | undefined): string => (day ? calendarDay.format(new Date(day)) : NOTHING);

/** A day without its year, as in "October 31". */
export const dayAndMonth = (day: string): string => dayOfYear.format(new Date(day));

/** A month such as 2026-10, as in "October 2026". */
export const monthAndYear = (month: string): string => calendarMonth.format(new Date(`${month}-01`));

/** The first day of a month such as 2026-10. */
export const firstDay = (month: string): string => `${month}-01`;

const UNITS: [Intl.RelativeTimeFormatUnit, number][] = [
  ["year", 31_557_600],
  ["month", 2_629_800],
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];

/** The time since a moment, as in "3 hours ago". */
export function ago(iso: string | null | undefined, now = Date.now()): string {
  if (!iso) return "never";
  const seconds = (Date.parse(iso) - now) / 1000;
  for (const [unit, length] of UNITS)
    if (Math.abs(seconds) >= length) return relative.format(Math.round(seconds / length), unit);
  return "just now";
}

/** A feature's value with its unit; an amount of money when the unit is the code of a currency. */
export function featureValue(value: unknown, unit = ""): string {
  if (value === null || value === undefined) return "unknown";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value !== "number") return String(value);
  if (CURRENCIES.has(unit)) return money(value, unit, 2);
  return `${hundredths.format(value)}${unit ? ` ${unit}` : ""}`;
}

const CURRENCIES = new Set(Intl.supportedValuesOf("currency"));

function sign(value: number, digits: number): string {
  if (Number(value.toFixed(digits)) === 0) return "±";
  return value > 0 ? "+" : "−";
}
