/** The churn rate in sentences. */
import type { Schemas } from "../../../client/api-client.js";
import { count, counted, dayAndMonth, firstDay, monthAndYear, points } from "../formats";

export type Rate = Schemas["ChurnRateView"];
export type Month = Schemas["MonthOfChurnView"];

/** As in "October 2026: 105 of 5,000 customers who were active on October 1 left". */
export function rateInWords(rate: Rate): string {
  const unknown = rate.unknown ? ` · not known: ${count(rate.unknown)}` : "";
  return `${monthAndYear(rate.period)}: ${leavers(rate, rate.starts_on)} left${unknown}`;
}

/** As in "+0.3 points since September 2026"; null where the month before has no rate. */
export function changeOf(rate: Rate, months: Month[]): string | null {
  const place = months.findIndex(({ month }) => month === rate.period);
  const before = months[place - 1];
  return before?.rate == null ? null : `${points(100 * (rate.rate - before.rate))} since ${monthAndYear(before.month)}`;
}

/** Why there is no rate, and what would bring one. */
export function withoutRate(months: Month[]): string {
  const newest = months.at(-1);
  if (!newest) return "A month has a churn rate when it is over and outcomes are known to its end.";
  return (
    `${monthAndYear(newest.month)}: ${leavers(newest, firstDay(newest.month))} left, and of ${count(newest.unknown)} nothing is known ` +
    "at the end of the month. Outcomes or a newer file with these customers give the rate."
  );
}

function leavers(month: Rate | Month, start: string): string {
  return `${count(month.left)} of ${counted(month.active_at_start, "customer")} who were active on ${dayAndMonth(start)}`;
}
