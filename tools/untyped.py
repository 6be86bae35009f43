"""Counts the mappings without a type of their own in the package and in the doors, and fails above a bound.

A record has a type that names its attributes. `dict[str, Any]` is for values whose shape is truly open.
"""

import re
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
_DICTS = re.compile(r"\bdict\[str, Any\]")
_MAPPINGS = re.compile(r"\bMapping\[str, Any\]")


@dataclass(frozen=True)
class Part:
    """A part of the code, and the most `dict[str, Any]` that it may have per 1,000 lines."""

    name: str
    pattern: str
    bound: float


PARTS = (Part("package", "layers/core/retainstream/**/*.py", 3), Part("doors", "functions/*/app.py", 5))


@dataclass(frozen=True)
class Count:
    """Lines of code, and occurrences of both types."""

    lines: int
    dicts: int
    mappings: int

    @property
    def dicts_per_1000(self) -> float:
        return 1000 * self.dicts / self.lines


def count(texts: list[str]) -> Count:
    """The count of these sources."""
    return Count(
        sum(len(text.splitlines()) for text in texts),
        sum(len(_DICTS.findall(text)) for text in texts),
        sum(len(_MAPPINGS.findall(text)) for text in texts),
    )


def main() -> int:
    """Prints the counts. Returns 1 where a part exceeds its bound."""
    exceeded = 0
    for part in PARTS:
        counted = count([path.read_text() for path in sorted(ROOT.glob(part.pattern))])
        above = counted.dicts_per_1000 > part.bound
        exceeded |= above
        print(
            f"{part.name}: {counted.dicts} dict[str, Any] in {counted.lines:,} lines, {counted.dicts_per_1000:.1f} per 1,000 "
            f"(at most {part.bound:g}); {counted.mappings} Mapping[str, Any]{': too many' if above else ''}"
        )
    return int(exceeded)


if __name__ == "__main__":
    sys.exit(main())
