"""The result of a benchmark: a figure, its comparison and its target."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

type Document = dict[str, Any]


@dataclass(frozen=True)
class Target:
    """A bound for the value or the ratio: at most or at least."""

    of: Literal["value", "ratio"]
    at_most: float | None = None
    at_least: float | None = None

    def __str__(self) -> str:
        bounds = [f"≤ {self.at_most:g}" if self.at_most is not None else "", f"≥ {self.at_least:g}" if self.at_least is not None else ""]
        return f"{self.of} {' and '.join(filter(None, bounds))}"

    def met_by(self, figure: float) -> bool:
        return (self.at_most is None or figure <= self.at_most) and (self.at_least is None or figure >= self.at_least)


@dataclass(frozen=True)
class Result:
    """One figure.

    `ratio` is this value divided by that of `against` (or, where `note` says so, the other way round), taken in the same run. A result
    without `against` has no ratio. `name` is unique in its benchmark and describes the measurement in words.
    """

    name: str
    value: float
    unit: str
    ratio: float | None = None
    against: str = ""
    target: Target | None = None
    note: str = ""

    def __post_init__(self) -> None:
        if (self.ratio is None) == bool(self.against):
            raise ValueError(f"{self.name}: a ratio needs the subject it is compared to, and the other way round")
        if self.target and self.target.of == "ratio" and self.ratio is None:
            raise ValueError(f"{self.name}: a target of the ratio needs a ratio")

    @property
    def met(self) -> bool | None:
        """Whether the target is reached; None where there is none."""
        if self.target is None:
            return None
        figure = self.value if self.target.of == "value" else self.ratio
        return figure is not None and self.target.met_by(figure)

    def document(self) -> Document:
        return {**asdict(self), "target": str(self.target) if self.target else "", "met": self.met}
