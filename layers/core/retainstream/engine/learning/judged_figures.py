"""All figures of a model's probabilities on rows that it was not fitted to, with their intervals."""

from dataclasses import dataclass

from retainstream.engine.learning.bootstrap import Interval
from retainstream.engine.learning.calibration_check import CalibrationCheck, checked
from retainstream.engine.learning.dataset import Keys
from retainstream.engine.learning.intervals import figure_intervals
from retainstream.engine.learning.metrics import Floats, Outcomes, Summary, summary


class Values(Summary):
    """The single figures, with expected churners, observed churners divided by them, and Cox's slope; see `calibration_check`."""

    expected: float
    observed_to_expected: float
    calibration_slope: float | None


@dataclass(frozen=True)
class JudgedFigures:
    """The figures, the 95% intervals of those that have one, by name, and the calibration check."""

    values: Values
    intervals: dict[str, Interval]
    check: CalibrationCheck

    def intervals_document(self) -> dict[str, dict[str, float]]:
        return {name: interval.document() for name, interval in self.intervals.items()}


def judged(churned: Outcomes, probabilities: Floats, threshold: float, *, seed: int = 0, keys: Keys | None = None) -> JudgedFigures:
    """The figures of probabilities (n,) against outcomes (n,). `keys` are the rows' customers; without them each row is a customer."""
    check = checked(churned, probabilities, keys)
    intervals = figure_intervals(churned, probabilities, threshold, seed, keys)
    intervals["observed_to_expected"] = Interval(check.ratio.low, check.ratio.high)
    if check.slope:
        intervals["calibration_slope"] = Interval(check.slope.low, check.slope.high)
    return JudgedFigures(values_of(churned, probabilities, threshold, check), intervals, check)


def values_of(churned: Outcomes, probabilities: Floats, threshold: float, check: CalibrationCheck) -> Values:
    """The single figures alone, with those of the calibration check of the same rows."""
    return {
        **summary(churned, probabilities, threshold),
        "expected": check.expected,
        "observed_to_expected": check.ratio.value,
        "calibration_slope": check.slope.value if check.slope else None,
    }
