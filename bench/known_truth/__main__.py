"""`python -m bench.known_truth [PART…]` measures all parts or the named ones, and writes their figures and the table of docs/model.md.

With `--page` it measures nothing and writes the table from the figures in `<part>.json`.
"""

import argparse
import json
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import cast

from rich.table import Table

from bench import known_truth
from bench.known_truth.row import Row
from bench.pages import between
from bench.report import terminal

FOLDER = Path(known_truth.__file__).parent
PAGE = FOLDER.parents[1] / "docs/model.md"
NAME = "known_truth"
HEADINGS = ("figure", "before", "after", "truth", "repetitions", "source")


def parts() -> list[str]:
    """The names of the parts, sorted."""
    return sorted(module.name for module in iter_modules([str(FOLDER)]) if module.name not in ("row", "__main__"))


def measured(part: str, repetitions: int | None = None) -> list[Row]:
    """The figures of a part, measured now."""
    return cast("Callable[[int | None], list[Row]]", import_module(f"bench.known_truth.{part}").rows)(repetitions)


def stored() -> Iterator[Row]:
    """The figures of every part that has been measured, in the order of `parts`."""
    for file in map(_file, parts()):
        if file.exists():
            yield from (Row(**row) for row in json.loads(file.read_text()))


def store(part: str, rows: Sequence[Row]) -> None:
    """Writes the figures of a part."""
    _file(part).write_text(json.dumps([row._asdict() for row in rows], indent=1, ensure_ascii=False) + "\n")


def page(text: str) -> str:
    """The page with the table of all stored figures."""
    table = [HEADINGS, ("---", "---:", "---:", "---:", "---:", "---"), *map(_cells, stored())]
    return between(text, NAME, "\n".join("| " + " | ".join(row) + " |" for row in table))


def _cells(row: Row) -> tuple[str, ...]:
    return (row.figure, row.before, row.after, row.truth, f"{row.repetitions:,}", row.source)


def _file(part: str) -> Path:
    return FOLDER / f"{part}.json"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures, prints and writes."""
    parser = argparse.ArgumentParser(prog="python -m bench.known_truth")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(parts())}; all when left out")
    parser.add_argument("--page", action="store_true", help="measure nothing, and write the table from the stored figures")
    parser.add_argument("--repetitions", type=int, help="simulated samples of each figure, to try a part quickly; writes nothing")
    options = parser.parse_args(arguments)
    table = Table(*HEADINGS, title="Figures beside their truth", title_justify="left")
    for part in () if options.page else options.parts or parts():
        rows = measured(part, options.repetitions)
        for row in rows:
            table.add_row(*_cells(row))
        if options.repetitions is None:
            store(part, rows)
    if not options.page:
        terminal().print(table)
    if options.repetitions is None:
        PAGE.write_text(page(PAGE.read_text()))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
