"""The split by time: the newest period is the test set, and no outcome window reaches into it."""

import numpy as np
import pytest

from retainstream.engine.learning.dataset import NO_ANCHOR, DataSet, periods
from retainstream.engine.learning.split import Split, by_time, folds, folds_apart, split_of
from tests.made_periods import at_month_ends as at_anchors
from tests.made_periods import day


def test_a_period_is_the_calendar_month_of_the_anchor() -> None:
    data = at_anchors(["2026-08-31", "2026-09-30"], 10)
    data.anchors[0] = NO_ANCHOR
    assert periods(data).tolist() == ["", "2026-09"] + ["2026-08", "2026-09"] * 9
    assert periods(DataSet.from_bytes(data.to_bytes())).tolist() == periods(data).tolist()


def test_the_newest_period_is_the_test_set_and_the_embargo_ends_before_it() -> None:
    data = at_anchors(["2025-12-31", "2026-01-31", "2026-02-28"])
    split = by_time(data, 30)
    assert split == Split(30, day("2026-02-28"))
    assert set(periods(data.where(split.test(data)))) == {"2026-02"}
    assert set(periods(data.where(split.development(data)))) == {"2025-12"}  # the window of January ends on 2 March
    assert split.document() == {"by": "time", "period": "2026-02", "test_from": "2026-02-28", "horizon_days": 30}
    assert Split.from_document(split.document()) == split


def test_rows_without_an_anchor_teach_no_model_that_is_judged_by_time() -> None:
    data = at_anchors(["2026-07-31", "2026-08-31", "2026-09-30"])
    data.anchors[:50] = NO_ANCHOR
    split = by_time(data, 30)
    assert split is not None
    assert not split.development(data)[:50].any()
    assert not split.test(data)[:50].any()


@pytest.mark.parametrize(
    "days",
    [["2026-09-30"], ["2026-08-31", "2026-09-30"], ["2026-09-01", "2026-09-15", "2026-09-30"], ["2026-07-31", "2026-08-31", "2026-09-30"]],
    ids=["one period", "two periods", "three anchors of one month", "a horizon as long as the history"],
)
def test_without_three_periods_or_rows_before_the_embargo_the_split_is_by_customers(days: list[str]) -> None:
    data = at_anchors(days)
    horizon = 90 if days[0] == "2026-07-31" else 14
    assert by_time(data, horizon) is None
    assert Split(horizon).document() == {"by": "customers", "horizon_days": horizon}
    development, test = Split(horizon).sides(data)
    assert not set(development.keys.tolist()) & set(test.keys.tolist())


def test_a_period_with_too_few_leavers_is_joined_by_the_one_before() -> None:
    data = at_anchors(["2026-06-30", "2026-07-31", "2026-08-31", "2026-09-30"])
    data.churned[data.anchors == day("2026-09-30")] = False
    assert split_of(data) == Split(30, day("2026-08-31"))


def test_a_customer_is_in_one_inner_fold_at_all_anchors() -> None:
    data = at_anchors(["2026-07-31", "2026-08-31", "2026-09-30"])
    assigned = folds(data.keys, data.churned, 5).reshape(-1, 3)
    assert (assigned == assigned[:, :1]).all()
    assert np.bincount(assigned[:, 0]).min() >= 99
    rows = data.rows.copy()
    rows[1:60:3] = rows[300:360:3]  # twenty customers have the values that others had a month before
    rows[61:120:3] = rows[600:660:3]
    apart = folds_apart(data.keys, rows, data.churned, 5).reshape(-1, 3)
    assert (apart == apart[:, :1]).all()


def test_copies_under_other_ids_stay_in_one_fold_at_all_anchors() -> None:
    data = at_anchors(["2026-07-31", "2026-08-31", "2026-09-30"])
    doubled = data.where(np.concatenate([np.arange(len(data)), np.arange(0, len(data), 4)]))
    doubled.keys[len(data) :] += np.uint64(1)
    apart = folds_apart(doubled.keys, doubled.rows, doubled.churned, 5)
    assert (apart[len(data) :] == apart[: len(data)][::4]).all()
    assert np.bincount(apart).min() > 0.7 * len(doubled) / 5
