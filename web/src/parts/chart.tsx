import type * as Plot from "@observablehq/plot";
import { useEffect, useRef, useState } from "preact/hooks";
import { Table } from "./table";

export type { Plot };

interface ChartProps {
  /** The plot in a sentence, for screen readers. */
  description: string;
  height?: number;
  /** The options of the plot for a width in pixels. */
  draw: (plot: typeof Plot, width: number) => Plot.PlotOptions;
  /** The same figures as a table: its columns, and its rows. */
  table?: { columns: string[]; rows: (string | number)[][] };
}

const STYLE = { background: "transparent", color: "var(--quiet)", fontFamily: "inherit", fontSize: "12px" };

/** A plot that fits its place, with a description and its figures as a table. The plotting library loads after the page. */
export function Chart({ description, height = 240, draw, table }: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const [plot, setPlot] = useState<typeof Plot>();
  const [failed, setFailed] = useState(false);
  const [width, setWidth] = useState(0);
  useEffect(() => {
    import("@observablehq/plot").then(setPlot, () => setFailed(true));
    const watch = new ResizeObserver(([entry]) => setWidth(Math.round(entry?.contentRect.width ?? 0)));
    if (place.current) watch.observe(place.current);
    return () => watch.disconnect();
  }, []);
  useEffect(() => {
    if (!plot || !width) return;
    const drawn = plot.plot({ width, height, style: STYLE, ...draw(plot, width) });
    drawn.setAttribute("aria-hidden", "true");
    place.current?.replaceChildren(drawn);
  }, [plot, width, height, draw]);
  return (
    <figure class="chart">
      <div role="img" aria-label={description}>
        <div ref={place} style={{ minHeight: `${height}px` }} />
      </div>
      {failed ? <p class="quiet">The plot could not be loaded. {description}</p> : null}
      {table ? (
        <details>
          <summary>View as a table</summary>
          <Table<(string | number)[]>
            caption="Figures of the plot"
            narrow="scroll"
            columns={table.columns.map((title, place) => ({ title, cell: (row) => row[place] }))}
            rows={table.rows}
            keyOf={(_, place) => place}
          />
        </details>
      ) : null}
    </figure>
  );
}
