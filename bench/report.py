"""Results as people read them: a table on the terminal, and the same as Markdown."""

import sys
from collections.abc import Iterable, Mapping

from rich.console import Console
from rich.table import Table

from bench.result import Document

HEADINGS = ("what", "value", "unit", "ratio", "compared to", "target", "met")


def cells(result: Mapping[str, object]) -> tuple[str, ...]:
    """One result of results.json as the table's columns."""
    met = {True: "yes", False: "no", None: ""}[result["met"]]  # type: ignore[index]
    ratio = result["ratio"]
    return (
        str(result["name"]) + (f" ({result['note']})" if result["note"] else ""),
        _figure(result["value"]),
        str(result["unit"]),
        "" if ratio is None else f"{_figure(ratio)} ×",
        str(result["against"]),
        str(result["target"]),
        met,
    )


def show(figures: Document, only: Iterable[str], console: Console | None = None) -> None:
    """Prints the figures of some benchmarks."""
    console = console or terminal()
    for benchmark in only:
        if benchmark in figures:
            table = Table(
                *HEADINGS, title=benchmark, title_justify="left", caption=conditions_line(figures[benchmark]), caption_justify="left"
            )
            for result in figures[benchmark]["results"]:
                table.add_row(*cells(result))
            console.print(table)


def terminal() -> Console:
    """The terminal; where there is none, wide enough for a figure a line."""
    return Console() if sys.stdout.isatty() else Console(width=170)


def markdown(results: Iterable[Mapping[str, object]]) -> str:
    """The results as a Markdown table."""
    rows = [HEADINGS, ("---", "---:", "---", "---:", "---", "---", "---"), *(cells(result) for result in results)]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows)


def conditions_line(taken: Mapping[str, Document]) -> str:
    """When, on what, under which load, and with which versions."""
    under = taken["conditions"]
    versions = ", ".join(f"{name} {number}" for name, number in under["versions"].items())
    return (
        f"{under['at']}, {under['processor']}, {under['cores']} cores, {under['memory_gb']} GB, "
        f"load {' '.join(str(part) for part in under['load'])}, {versions}; took {taken['seconds']} s"
    )


def _figure(value: object) -> str:
    number = float(str(value))
    if number and abs(number) < 0.01:
        return f"{number:.2g}"
    decimals = 0 if abs(number) >= 100 else 1 if abs(number) >= 10 else 2
    return f"{number:,.{decimals}f}"
