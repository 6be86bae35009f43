/** Numbers and moments as people read them. */
const LANGUAGE = "en";
const whole = new Intl.NumberFormat(LANGUAGE, { maximumFractionDigits: 0 });
const compact = new Intl.NumberFormat(LANGUAGE, { notation: "compact", maximumFractionDigits: 1 });
const day = new Intl.DateTimeFormat(LANGUAGE, { dateStyle: "medium" });
const moment = new Intl.DateTimeFormat(LANGUAGE, { dateStyle: "medium", timeStyle: "short" });
const relative = new Intl.RelativeTimeFormat(LANGUAGE, { numeric: "auto" });

export const NOTHING = "–";

export const count = (value: number | null | undefined): string => (value == null ? NOTHING : whole.format(value));

export const shortCount = (value: number | null | undefined): string =>
  value == null ? NOTHING : compact.format(value);

/** A share of one as per cent; what is not quite nothing, or not quite all, is not written as if it were. */
export function percent(share: number | null | undefined, digits = 1): string {
  if (share == null) return NOTHING;
  const least = 10 ** -digits;
  const written = Number((share * 100).toFixed(digits));
  if (share > 0 && written === 0) return `< ${least.toFixed(digits)} %`;
  if (share < 1 && written === 100) return `> ${(100 - least).toFixed(digits)} %`;
  return `${written.toFixed(digits)} %`;
}

/** Percentage points, with their sign. */
export const points = (value: number | null | undefined, digits = 1): string =>
  value == null ? NOTHING : `${sign(value, digits)}${Math.abs(value).toFixed(digits)}`;

/** An amount of money, with its sign. */
export const moneyChange = (value: number, currency: string | null | undefined): string =>
  `${sign(value, 0)}${money(Math.abs(value), currency, 0)}`;

export const decimal = (value: number | null | undefined, digits = 3): string =>
  value == null ? NOTHING : value.toFixed(digits);

export function money(value: number | null | undefined, currency: string | null | undefined, digits?: number): string {
  if (value == null) return NOTHING;
  const fractions = digits ?? (Math.abs(value) < 100 ? 2 : 0);
  const options = { minimumFractionDigits: fractions, maximumFractionDigits: fractions };
  if (!currency) return new Intl.NumberFormat(LANGUAGE, options).format(value);
  return new Intl.NumberFormat(LANGUAGE, { style: "currency", currency, ...options }).format(value);
}

export const date = (iso: string | null | undefined): string => (iso ? day.format(new Date(iso)) : NOTHING);

export const dateTime = (iso: string | null | undefined): string => (iso ? moment.format(new Date(iso)) : NOTHING);

const UNITS: [Intl.RelativeTimeFormatUnit, number][] = [
  ["year", 31_557_600],
  ["month", 2_629_800],
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];

/** How long ago, in words. */
export function ago(iso: string | null | undefined, now = Date.now()): string {
  if (!iso) return "never";
  const seconds = (Date.parse(iso) - now) / 1000;
  for (const [unit, length] of UNITS)
    if (Math.abs(seconds) >= length) return relative.format(Math.round(seconds / length), unit);
  return "just now";
}

/** A feature's value with its unit, in words where it is not a number. */
export function featureValue(value: unknown, unit = ""): string {
  if (value === null || value === undefined) return "not known";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "number")
    return `${new Intl.NumberFormat(LANGUAGE, { maximumFractionDigits: 2 }).format(value)}${unit ? ` ${unit}` : ""}`;
  return String(value);
}

function sign(value: number, digits: number): string {
  if (Number(value.toFixed(digits)) === 0) return "±";
  return value > 0 ? "+" : "−";
}
