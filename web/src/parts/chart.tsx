import type * as Plot from "@observablehq/plot";
import { useEffect, useRef, useState } from "preact/hooks";
import { Scroll } from "./card";

export type { Plot };

interface ChartProps {
  /** What the plot says, in a sentence: it is read out instead of the picture. */
  told: string;
  height?: number;
  /** Makes the plot for a width in pixels. */
  draw: (plot: typeof Plot, width: number) => Plot.PlotOptions;
  /** The same figures as a table: its columns, and its rows. */
  table?: { columns: string[]; rows: (string | number)[][] };
}

const STYLE = { background: "transparent", color: "var(--quiet)", fontFamily: "inherit", fontSize: "12px" };

/** A plot that fits its place, with a text alternative and its figures as a table. The plotting library loads after the page. */
export function Chart({ told, height = 240, draw, table }: ChartProps) {
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
      <div role="img" aria-label={told}>
        <div ref={place} style={{ minHeight: `${height}px` }} />
      </div>
      {failed ? <p class="quiet">The plot could not be loaded. {told}</p> : null}
      {table ? (
        <details>
          <summary>As a table</summary>
          <Scroll label="Figures of the plot">
            <table>
              <thead>
                <tr>
                  {table.columns.map((column) => (
                    <th key={column} scope="col">
                      {column}
                    </th>
                  ))}
                </tr>
              </thead>
              <tbody>
                {table.rows.map((row, number) => (
                  <tr key={number}>
                    {row.map((cell, column) => (
                      <td key={column}>{cell}</td>
                    ))}
                  </tr>
                ))}
              </tbody>
            </table>
          </Scroll>
        </details>
      ) : null}
    </figure>
  );
}
