"""Which prediction an outcome judges, against a search through all of them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from retainstream.customers.judged import judged, judged_anew
from retainstream.engine.model.past import HISTORY, past_of

START = datetime(2026, 1, 1, tzinfo=UTC)


def on(day: int) -> datetime:
    return START + timedelta(days=day)


def scored(days: list[int]) -> Any:
    """The latest of the predictions made on these days, with what it keeps of those before."""
    latest: Any = None
    for day in sorted(days):
        new: dict[str, Any] = {
            "run_id": str(day),
            "scored_at": on(day).isoformat(),
            "probability": day / 1000,
            "level": "low",
            "model_version": "m",
        }
        latest = {**new, **past_of(new["run_id"], new["probability"], latest)}
    return latest


days = st.lists(st.integers(0, 300), max_size=HISTORY, unique=True)


@given(days=days, horizon=st.integers(1, 90), told=st.lists(st.tuples(st.integers(0, 400), st.booleans()), max_size=8))
def test_outcomes_judge_the_latest_prediction_of_which_they_are_known(days: list[int], horizon: int, told: list[tuple[int, bool]]) -> None:
    latest = scored(days)
    for day, churned in told:
        due = [made for made in days if churned or made + horizon <= day]
        found = judged(latest, horizon, churned=churned, moment=on(day))
        assert (found and found["probability"]) == (max(due) / 1000 if due else None)
        assert found is None or found.keys() == {"probability", "level", "model_version", "scored_at"}


@given(days=days, horizon=st.integers(1, 90), told=st.lists(st.integers(0, 400), max_size=8))
def test_said_again_in_any_order_the_newest_known_is_judged_once(days: list[int], horizon: int, told: list[int]) -> None:
    latest, kept = scored(days), None
    moves = []
    for day in told:
        found = judged_anew(kept, latest, horizon, moment=on(day))
        if found:
            moves.append(found["scored_at"])
            kept = found
        assert judged_anew(kept, latest, horizon, moment=on(day)) is None
    assert moves == sorted(set(moves))
    due = [made for made in days if told and made + horizon <= max(told)]
    assert (kept and kept["probability"]) == (max(due) / 1000 if due else None)


@given(days=st.lists(st.integers(0, 300), min_size=1, max_size=8, unique=True), lag=st.integers(1, 60), day=st.integers(0, 400))
def test_the_horizon_counts_from_the_day_of_the_features(days: list[int], lag: int, day: int) -> None:
    """A file of an earlier day is scored later: its outcome is due a horizon after the features."""
    latest: Any = None
    for made in sorted(days):
        new = {**scored([made + lag]), "features_on": on(made).date().isoformat()}
        latest = {**new, **past_of(new["run_id"], new["probability"], latest)}
    due = [made for made in days if made + 30 <= day]
    found = judged(latest, 30, churned=False, moment=on(day))
    assert (found and found["probability"]) == ((max(due) + lag) / 1000 if due else None)
