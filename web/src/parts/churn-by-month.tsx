import { useCallback } from "preact/hooks";
import { count, firstDay, monthAndYear, percent } from "../formats";
import { Card } from "./card";
import { Chart, type Plot } from "./chart";
import { type Month, withoutRate } from "./churn";
import { Empty } from "./states";

/** The churn rate of each month. */
export function ChurnByMonth({ months }: { months: Month[] }) {
  return (
    <Card
      title="Churn rate by month"
      note="Customers who left in a month, as a share of those who were active on its first day"
    >
      {months.some(({ rate }) => rate !== null) ? (
        <Bars months={months} />
      ) : (
        <Empty title="No churn rate yet">{withoutRate(months)}</Empty>
      )}
    </Card>
  );
}

function Bars({ months }: { months: Month[] }) {
  const rated = months.flatMap((month) => (month.rate === null ? [] : [{ ...month, rate: month.rate }]));
  const draw = useCallback(
    (plot: typeof Plot): Plot.PlotOptions => ({
      marginLeft: 52,
      x: { label: null, type: "utc", ticks: 6 },
      y: { label: null, grid: true, ticks: 4, tickFormat: (rate: number) => percent(rate), zero: true },
      marks: [
        plot.rectY(
          rated.map((month) => ({ ...month, start: new Date(firstDay(month.month)) })),
          {
            x: "start",
            interval: "month",
            y: "rate",
            fill: "#ff5d6c",
            title: (month) =>
              `${monthAndYear(month.month)}: ${percent(month.rate)}, ${count(month.left)} of ${count(month.active_at_start)}`,
            tip: true,
          },
        ),
        plot.ruleY([0]),
      ],
    }),
    [JSON.stringify(rated)],
  );
  const [first, last] = [rated[0], rated.at(-1)];
  return (
    <Chart
      description={`Churn rate from ${percent(first?.rate)} in ${monthAndYear(first?.month ?? "")} to ${percent(last?.rate)} in ${monthAndYear(last?.month ?? "")}.`}
      height={220}
      draw={draw}
      table={{
        columns: ["Month", "Churn rate", "Left", "Active on the first day", "Not known"],
        rows: [...months]
          .reverse()
          .map((month) => [
            monthAndYear(month.month),
            percent(month.rate),
            count(month.left),
            count(month.active_at_start),
            count(month.unknown),
          ]),
      }}
    />
  );
}
