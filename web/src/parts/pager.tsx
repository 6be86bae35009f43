import "../styles/pager.css";

interface PagerProps {
  /** The items of the list, as in "customers". */
  of: string;
  /** The rows on this page, as in "21–40 of 1,341". */
  position: string;
  first?: () => void;
  previous?: () => void;
  next?: () => void;
}

/** The place in a list, with buttons to its other pages. A button that becomes disabled keeps the focus of the keyboard. */
export function Pager({ of, position, first, previous, next }: PagerProps) {
  if (!first && !previous && !next) return <p class="pager quiet">{position}</p>;
  return (
    <nav class="pager" aria-label={`Pages of ${of}`}>
      <span class="quiet" role="status">
        {position}
      </span>
      <span class="ways">
        <button type="button" aria-disabled={!first} onClick={first}>
          First
        </button>
        <button type="button" aria-disabled={!previous} onClick={previous}>
          ← Previous
        </button>
        <button type="button" aria-disabled={!next} onClick={next}>
          Next →
        </button>
      </span>
    </nav>
  );
}
