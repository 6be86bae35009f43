"""Figures of a run and of a version's record."""

from typing import Any

from retainstream.dashboard.performance import estimate, held_out


def test_without_a_run_there_is_no_estimate() -> None:
    assert estimate(None) is None
    run: Any = {"run_id": "r", "result": {"estimate": None}}
    assert estimate(run) is None


def test_held_out_figures_come_from_the_record() -> None:
    record: Any = {"version": "v", "synthetic": False, "metrics": {"roc_auc": 0.7}}
    view = held_out(record)
    assert view.ceiling is None
    assert view.synthetic is False
    assert view.metrics == {"roc_auc": 0.7}
