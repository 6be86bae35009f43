import "../styles/pager.css";

interface PagerProps {
  /** What is paged, as in "customers". */
  of: string;
  told: string;
  first?: () => void;
  previous?: () => void;
  next?: () => void;
}

/** Where one is in a list, and the ways on. A way that ends keeps the focus, so that the keyboard is not thrown back to the top. */
export function Pager({ of, told, first, previous, next }: PagerProps) {
  if (!first && !previous && !next) return <p class="pager quiet">{told}</p>;
  return (
    <nav class="pager" aria-label={`Pages of ${of}`}>
      <span class="quiet" role="status">
        {told}
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
