"""The part of `retainstream evaluate` that judges by time: for each period, what was promised before it and what came."""

import sys
from typing import TYPE_CHECKING, Any

from cli.output import say

if TYPE_CHECKING:
    from retainstream.engine.learning.dataset import DataSet
    from retainstream.engine.learning.rolling import Limits, PeriodFigures

_PAGE_WIDTH = 140
_WHY_NOT = "so the figures are by customers alone"


def judge_by_time(customers: "DataSet", *, seconds: float, seed: int) -> dict[str, Any]:
    """The fields `judged_by`, `by_period` and `by_time` of the result; `by_time` holds the figures of all periods together, or None."""
    import numpy as np

    from retainstream.engine.learning import metrics
    from retainstream.engine.learning.calibration_check import checked
    from retainstream.engine.learning.dataset import periods
    from retainstream.engine.learning.rolling import replayed
    from retainstream.engine.learning.split import FEWEST_PERIODS

    nothing: dict[str, Any] = {"judged_by": "customers", "by_period": [], "by_time": None}
    named = periods(customers)
    known = np.unique(named[named != ""]).tolist()
    if not known:
        say(f"note: no column says the day of a row ({customers.schema.anchor_header}), {_WHY_NOT}")
        return nothing
    if len(known) < FEWEST_PERIODS:
        named_periods = " and ".join(known)
        say(f"note: there {'is one period' if len(known) == 1 else 'are two periods'} ({named_periods}), and three are needed, {_WHY_NOT}")
        return nothing
    figures, rows, probabilities = replayed(customers, seconds=seconds, seed=seed, done=_say)
    if not figures:
        horizon = customers.schema.horizon_days
        say(f"note: no period has enough rows whose {horizon} days of outcome end before it, {_WHY_NOT}")
        return nothing
    both = [entry for entry in figures if entry["roc_auc"] is not None]
    check = checked(rows.churned, probabilities, rows.keys)
    together = {
        "periods": len(figures),
        "rows": len(rows),
        "churned": int(rows.churned.sum()),
        "roc_auc": sum((entry["roc_auc"] or 0.0) * entry["rows"] for entry in both) / max(1, sum(entry["rows"] for entry in both)),
        "log_loss": metrics.log_loss(rows.churned, probabilities),
        "ece": metrics.ece(rows.churned, probabilities),
        "expected": check.expected,
        "observed": check.observed,
        "observed_to_expected": check.ratio.value,
        "observed_to_expected_interval": {"low": check.ratio.low, "high": check.ratio.high},
        "calibration_slope": check.slope.value if check.slope else None,
        "calibration_slope_interval": {"low": check.slope.low, "high": check.slope.high} if check.slope else None,
    }
    return {"judged_by": "time", "by_period": figures, "by_time": together}


def show_by_time(document: dict[str, Any]) -> None:
    """The table by period, and which of both figures to believe."""
    from rich.console import Console
    from rich.table import Table

    together = document["by_time"]
    if together is None:
        return
    shown = Table(title="By time: each period by the model of the training run before it", title_justify="left")
    for header in (
        "period",
        "rows",
        "left",
        "expected",
        "ROC AUC",
        "promised",
        "log loss",
        "promised",
        "observed to expected",
        "learned from",
    ):
        shown.add_column(header, justify="left" if header == "period" else "right", no_wrap=True)
    for entry in document["by_period"]:
        shown.add_row(*_cells(entry))
    shown.add_section()
    counts = (f"{together['rows']:,}", f"{together['observed']:,}", f"{together['expected']:,.0f}")
    shown.add_row("all", *counts, f"{together['roc_auc']:.4f}", "", f"{together['log_loss']:.4f}", "", _ratio(together), "")
    Console(width=None if sys.stdout.isatty() else _PAGE_WIDTH).print(shown)
    folds = document["pooled"]
    say(
        f"By customers the ROC AUC is {folds['roc_auc']:.4f} and the log loss {folds['log_loss']:.4f}; "
        f"by time {together['roc_auc']:.4f} and {together['log_loss']:.4f}. Believe the figures by time: "
        "the model will be used on a later period than it learned from, and folds of customers do not test that."
    )


def _cells(entry: "PeriodFigures") -> list[str]:
    return [
        entry["period"],
        f"{entry['rows']:,}",
        f"{entry['observed']:,}",
        f"{entry['expected']:,.0f}",
        _with_interval(entry["roc_auc"], entry["roc_auc_interval"]),
        _with_interval(entry["promised_roc_auc"], None),
        f"{entry['log_loss']:.4f}",
        f"{entry['promised_log_loss']:.4f}",
        _ratio(entry),
        f"{entry['learned']:,}",
    ]


def _ratio(entry: "PeriodFigures | dict[str, Any]") -> str:
    interval = entry["observed_to_expected_interval"]
    return f"{entry['observed_to_expected']:.2f} [{interval['low']:.2f}–{interval['high']:.2f}]"


def _with_interval(value: float | None, interval: "Limits | None") -> str:
    if value is None:
        return "–"
    return f"{value:.4f}" + (f" [{interval['low']:.3f}–{interval['high']:.3f}]" if interval else "")


def _say(entry: "PeriodFigures") -> None:
    auc = "–" if entry["roc_auc"] is None else f"{entry['roc_auc']:.4f}"
    say(f"{entry['period']}: ROC AUC {auc}, {entry['expected']:,.0f} expected to leave, {entry['observed']:,} left")
