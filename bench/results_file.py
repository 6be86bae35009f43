"""bench/results.json: the last figures of every benchmark, each with the conditions it was taken under."""

import json
from collections.abc import Sequence
from pathlib import Path

from bench.result import Document, Result

RESULTS = Path(__file__).parent / "results.json"


def read(path: Path = RESULTS) -> Document:
    """{benchmark: {conditions, seconds, results: [{name, value, unit, ratio, against, target, met, note}]}}; empty without a file."""
    figures: Document = json.loads(path.read_text()) if path.exists() else {}
    return figures


def merge(benchmark: str, results: Sequence[Result], conditions: Document, seconds: float, path: Path = RESULTS) -> Document:
    """Puts one benchmark's figures in place of its earlier ones, leaves the others alone, and returns all.

    Raises:
        ValueError: two results have one name.
    """
    if len({result.name for result in results}) != len(results):
        raise ValueError(f"{benchmark}: two results have one name")
    figures = read(path)
    figures[benchmark] = {
        "conditions": conditions,
        "seconds": round(seconds, 1),
        "results": [{**result.document(), "value": _rounded(result.value), "ratio": _rounded(result.ratio)} for result in results],
    }
    path.write_text(json.dumps(dict(sorted(figures.items())), indent=1, ensure_ascii=False) + "\n")
    return figures


def figure(figures: Document, benchmark: str, name: str) -> float:
    """The value of one result.

    Raises:
        KeyError: it has not been measured.
    """
    for result in figures.get(benchmark, {}).get("results", ()):
        if result["name"] == name:
            return float(result["value"])
    raise KeyError(f"{benchmark}: {name} has not been measured")


def _rounded(figure: float | None) -> float | None:
    return None if figure is None else float(f"{figure:.4g}")
