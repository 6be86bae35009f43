"""The pages that are written from results.json, between markers, and never by hand."""

from pathlib import Path

from bench import BENCHMARKS, results_file
from bench.report import conditions_line, markdown
from bench.result import Document

PERFORMANCE = Path(__file__).parents[1] / "docs/performance.md"


def between(text: str, name: str, content: str) -> str:
    """The text with `content` between the markers of `name`.

    Raises:
        ValueError: the markers are not there, once each.
    """
    start, end = f"<!-- {name}: written by a command, not by hand -->", f"<!-- end of {name} -->"
    if text.count(start) != 1 or text.count(end) != 1:
        raise ValueError(f"the page lacks the markers of {name}")
    before, _, rest = text.partition(start)
    return f"{before}{start}\n\n{content}\n\n{end}{rest.partition(end)[2]}"


def performance(text: str, figures: Document) -> str:
    """The page on performance with every benchmark's last table."""
    for benchmark in BENCHMARKS:
        taken = figures.get(benchmark)
        text = between(text, benchmark, f"{markdown(taken['results'])}\n\n{conditions_line(taken)}" if taken else "Not measured yet.")
    return text


def write_pages() -> None:
    """Brings the pages in step with results.json."""
    PERFORMANCE.write_text(performance(PERFORMANCE.read_text(), results_file.read()))
