import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";

interface CardProps {
  title: string;
  note?: ComponentChildren;
  aside?: ComponentChildren;
  wide?: boolean;
  children: ComponentChildren;
}

/** A titled section of a page. */
export function Card({ title, note, aside, wide, children }: CardProps) {
  const heading = useId();
  return (
    <section class={wide ? "card wide" : "card"} aria-labelledby={heading}>
      <header>
        <div>
          <h2 id={heading}>{title}</h2>
          {note ? <p class="quiet">{note}</p> : null}
        </div>
        {aside}
      </header>
      {children}
    </section>
  );
}

/** Keeps wide content inside its card: it scrolls sideways, also by keyboard. */
export function Scroll({ label, children }: { label: string; children: ComponentChildren }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard
    <section class="scroll" aria-label={label} tabIndex={0}>
      {children}
    </section>
  );
}

interface FigureProps {
  title: string;
  value: ComponentChildren;
  change?: ComponentChildren;
  note?: ComponentChildren;
}

/** A headline figure. */
export function Figure({ title, value, change, note }: FigureProps) {
  return (
    <div class="figure">
      <h3>{title}</h3>
      <p class="value">{value}</p>
      {change ? <p class="change">{change}</p> : null}
      {note ? <p class="quiet">{note}</p> : null}
    </div>
  );
}

/** Marks figures of synthetic customers. */
export function Synthetic({ when }: { when: boolean | undefined }) {
  return when ? (
    <span class="tag" title="These figures come from synthetic customers">
      synthetic
    </span>
  ) : null;
}
