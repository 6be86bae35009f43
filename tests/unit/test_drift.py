"""Drift: the index against its definition on raw rows, what is counted in blocks, and which alarms are raised."""

import copy
import json
from collections.abc import Mapping
from math import log
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2

from retainstream.engine.learning.synthetic import Drift
from retainstream.engine.monitoring.documents import FeatureBins, Reference, ScoreReference
from retainstream.engine.monitoring.drift import drift, score_groups
from retainstream.engine.monitoring.histograms import Ruler, edges_of, score_counts, tally
from retainstream.engine.monitoring.score_bins import SCORE_EDGES, score_bin_of
from retainstream.engine.monitoring.stability import FALSE_ALARMS, chi_square, expected, stability
from retainstream.engine.monitoring.tally import Tally, tally_from, total
from tests.generated_months import data_set, model_and_reference, month

cells = st.one_of(st.just(float("nan")), st.integers(-3, 12).map(float), st.floats(-50, 50, width=32))
DRIFT_LEVELS = ["basic", "standard", "premium"]


@st.composite
def tables(draw: st.DrawFn, fewest: int = 1) -> tuple[Any, Any]:
    """Rows of two numbers and a category, and their probabilities."""
    size = draw(st.integers(fewest, 60))
    numbers = [draw(st.lists(cells, min_size=size, max_size=size)) for _ in range(2)]
    codes = draw(st.lists(st.sampled_from([0.0, 1.0, 2.0, float("nan")]), min_size=size, max_size=size))
    chances = draw(st.lists(st.integers(0, 10**6).map(lambda millionths: millionths / 10**6), min_size=size, max_size=size))
    return np.array([*numbers, codes], dtype=np.float32).T, chances


def reference_of(rows: Any, chances: list[float], left: Any) -> Reference:
    """A reference as training writes it, by other means than training's."""
    features: list[Any] = []
    for place in range(3):
        bins: dict[str, Any] = {"levels": DRIFT_LEVELS} if place == 2 else {"edges": edges_of(rows[~np.isnan(rows[:, place]), place])}
        every, stayed = (direct_counts(bins, values) for values in (rows[:, place], rows[~left, place]))
        kind = "category" if place == 2 else "number"
        features.append(
            {"feature": f"f{place}", "label": f"F{place}", "unit": "", "kind": kind, **bins}
            | {"counts": every[:-1], "missing": every[-1], "stayed": stayed[:-1], "stayed_missing": stayed[-1]}
        )
    probabilities = np.array(chances)
    score: ScoreReference = {
        "rows": len(rows),
        "counts": score_counts(probabilities).tolist(),
        "stayed": score_counts(probabilities[~left]).tolist(),
    }
    return {"rows": len(rows), "stayed_rows": int((~left).sum()), "features": features, "score": score}


def direct_counts(bins: Mapping[str, Any], values: Any) -> list[int]:
    """Customers per bin, missing last, one value after the other."""
    counts = [0] * (len(bins["levels"] if "levels" in bins else bins["edges"]) + ("edges" in bins) + 1)
    for value in values.tolist():
        if value != value:
            counts[-1] += 1
        elif "levels" in bins:
            counts[int(value)] += 1
        else:
            counts[sum(value >= edge for edge in bins["edges"])] += 1
    return counts


def index(reference: list[int], now: list[int]) -> float:
    """PSI by its definition, for bins that are all large enough: half a customer added to each bin of both."""
    p = [(count + 0.5) / (sum(reference) + len(reference) / 2) for count in reference]
    q = [(count + 0.5) / (sum(now) + len(now) / 2) for count in now]
    return sum((b - a) * log(b / a) for a, b in zip(p, q, strict=True))


@given(table=tables(fewest=2), now=tables(), blocks=st.lists(st.integers(1, 20)), order=st.randoms(use_true_random=False))
@settings(max_examples=150, deadline=None)
def test_blocks_in_any_order_count_what_the_rows_hold(table: Any, now: Any, blocks: list[int], order: Any) -> None:
    reference = reference_of(table[0], table[1], np.arange(len(table[0])) % 3 == 0)
    rows, chances = now
    ruler, parts, start = Ruler.of(reference["features"]), [Tally()], 0
    for size in [*blocks, len(rows)]:
        block = slice(start, start + size)
        if len(rows[block]):
            made = tally(ruler, rows[block], chances[block], stayed=len(rows[block]) // 2, synthetic=0)
            parts.append(tally_from(json.loads(json.dumps(made.document()))))
        start += size
    order.shuffle(parts)
    cut = order.randint(0, len(parts))
    found = total([total(parts[cut:]), total(parts[:cut])])
    direct = [direct_counts(told, rows[:, place]) for place, told in enumerate(reference["features"])]
    assert found.features == tuple(count for counts in direct for count in counts)
    assert found.customers == sum(found.scores) == len(rows)
    assert sum(found.chances) == sum(round(chance * 1_000_000) for chance in chances)
    for place in range(len(found.scores)):
        assert found.scores[place] == sum(score_bin_of(chance) == place for chance in chances)
    shown = drift(found, reference)
    for part in [shown["score"], *shown["features"]]:
        assert sum(one["now"] for one in part["bins"]) == pytest.approx(1, abs=1e-4)
        assert sum(one["reference"] for one in part["bins"]) == pytest.approx(1, abs=1e-4)


def test_the_index_is_that_of_the_raw_rows() -> None:
    _, reference = model_and_reference()
    now = month(20_000, 77, Drift(engagement=-0.4, price=0.05, missing=2))
    shown = {part["feature"]: part for part in drift(now.tally, reference)["features"]}
    for place, told in enumerate(reference["features"]):
        counts = direct_counts(told, now.rows[:, place])
        with_missing = [*told["counts"], told["missing"]]
        if min(with_missing) >= 10:
            assert shown[told["feature"]]["psi"] == pytest.approx(index(with_missing, counts), abs=1e-6)
        else:  # nothing is missing: the bin for it, in which nobody is expected, stands alone
            assert shown[told["feature"]]["psi"] == pytest.approx(index(with_missing[:-1], counts[:-1]), abs=1e-3)
    edges = [SCORE_EDGES[start - 1] for start in score_groups(reference["score"]["counts"])[1:]]
    starts = [0, *np.searchsorted(SCORE_EDGES, edges) + 1]
    then = np.add.reduceat(reference["score"]["counts"], starts).tolist()
    today = np.bincount(np.searchsorted(edges, now.probabilities, side="right"), minlength=10).tolist()
    assert drift(now.tally, reference)["score"]["psi"] == pytest.approx(index(then, today), abs=1e-6)


@given(values=st.lists(st.one_of(st.integers(0, 4).map(float), st.floats(-1e6, 1e6, width=32)), min_size=1, max_size=300))
def test_no_bin_of_the_reference_is_empty(values: list[float]) -> None:
    column = np.array(values, dtype=np.float32)
    edges = edges_of(column)
    assert edges == sorted(set(edges))
    assert len(edges) <= 11
    assert min(np.bincount(np.searchsorted(edges, column, side="right"), minlength=len(edges) + 1)) > 0


def test_a_value_that_most_customers_share_has_a_bin_of_its_own() -> None:
    column = np.concatenate([np.zeros(950), np.arange(1, 51)]).astype(np.float32)
    assert edges_of(column) == [1.0, 25.0]


def test_the_critical_value_is_exceeded_with_the_chance_asked_for() -> None:
    for freedom in (1, 2, 5, 9, 12, 60, 200):
        for chance in (0.01, 0.001, 0.0001):
            assert chi2.sf(chi_square(freedom, chance), freedom) == pytest.approx(chance, rel=1e-9)


@pytest.mark.parametrize("customers", [10, 40, 100, 1_000, 20_000])
def test_chance_alone_raises_few_alarms(customers: int) -> None:
    rng = np.random.default_rng(customers)
    shares = np.array([0.3, 0.2, 0.15, 0.1, 0.1, 0.1, 0.04, 0.01])
    alarms = 0
    for _ in range(1_000):
        then, now = rng.multinomial(3_000, shares).tolist(), rng.multinomial(customers, shares).tolist()
        alarms += stability(expected(then, then, 0.0), now, comparisons=1).level != "none"
    assert alarms / 1_000 <= FALSE_ALARMS * 2


def test_a_small_base_alarms_when_it_is_another_one() -> None:
    against = expected([300] * 10, [240] * 10, 0.0)
    assert stability(against, [60, 0, 0, 0, 0, 0, 0, 0, 0, 0], comparisons=9).level == "strong"
    assert stability(against, [9, 3, 6, 8, 4, 7, 5, 2, 9, 7], comparisons=9).level == "none"


def test_nobody_scored_is_no_drift() -> None:
    _, reference = model_and_reference()
    shown = drift(tally(Ruler.of(reference["features"]), np.empty((0, 8), dtype=np.float32), [], stayed=0, synthetic=0), reference)
    assert shown["level"] == "none"
    assert {part["psi"] for part in shown["features"]} == {0.0}


@pytest.mark.parametrize(
    ("change", "named", "words"),
    [
        (Drift(price=0.1), {"monthly_price"}, "Monthly price is higher"),
        (Drift(payment_failures=2.5), {"payment_failures"}, "Failed payments is higher"),
        (Drift(engagement=-0.8), {"watch_time_hours", "last_login_days", "device_count"}, "Watch time is lower"),
        (Drift(missing=5), {"watch_time_hours", "device_count"}, "is missing more often"),
    ],
)
def test_the_drifted_features_are_named(change: Drift, named: set[str], words: str) -> None:
    _, reference = model_and_reference()
    for customers in (3_000, 20_000):
        shown = drift(month(customers, customers, change).tally, reference)
        drifted = {part["feature"]: part for part in shown["features"] if part["level"] != "none"}
        assert set(drifted) == named
        assert any(words in str(part["told"]) for part in drifted.values())
        assert shown["features"][0]["feature"] in named
        assert shown["level"] != "none"


@pytest.mark.parametrize("known", [0.0, 1.0])
def test_the_churn_shift_is_the_mean_probability_of_each_bin_by_the_new_shares(known: float) -> None:
    model, reference = model_and_reference()
    now = month(20_000, 77, Drift(engagement=-0.4, payment_failures=1.5), known=known)
    shown = {part["feature"]: part["churn_shift"] for part in drift(now.tally, reference)["features"]}
    learned = data_set(24_000, 1).where(np.arange(24_000) % 6 > 0)
    then = learned.where(~learned.churned) if known else learned
    probabilities, compared = model.probabilities(then.rows), 0
    for place, feature in enumerate(reference["features"]):
        if "edges" not in feature:
            continue
        bins_then, bins_now = (
            np.where(np.isnan(rows[:, place]), len(feature["edges"]) + 1, np.searchsorted(feature["edges"], rows[:, place], side="right"))
            for rows in (then.rows, now.rows)
        )
        if not np.isin(bins_now, bins_then).all():  # a bin that the reference lacks has the mean probability of all
            continue
        compared += 1
        share = np.bincount(bins_now, minlength=20)[bins_then] / len(now.rows) / np.bincount(bins_then, minlength=20)[bins_then]
        shift = shown[feature["feature"]]
        assert shift
        assert shift["probability"] == pytest.approx((share * probabilities).sum() - probabilities.mean(), abs=1e-4)
        assert shift["customers"] == pytest.approx(shift["probability"] * len(now.rows), abs=0.1)
    assert compared >= 5


def test_a_column_that_moves_churn_is_named_where_its_index_is_silent() -> None:
    _, reference = model_and_reference()
    shown = drift(month(60_000, 5, Drift(engagement=-0.15)).tally, reference)
    watched = next(part for part in shown["features"] if part["feature"] == "watch_time_hours")
    assert (watched["level"], watched["psi"] < 0.1) == ("some", True)
    assert watched["told"]
    assert "alone moves expected churn by +" in watched["told"]
    assert "more churners among 60,000 customers" in watched["told"]


def test_a_reference_of_an_earlier_version_has_no_churn_shift() -> None:
    _, reference = model_and_reference()
    now = month(3_000, 1, Drift(engagement=-0.8)).tally
    earlier = copy.deepcopy(reference)
    for feature in earlier["features"]:
        del feature["probability"], feature["stayed_probability"]
    shown = drift(now, earlier)
    assert {part["churn_shift"] for part in shown["features"]} == {None}
    assert [part["bins"] for part in shown["features"]]
    assert shown["score"]["churn_shift"]


@pytest.mark.parametrize("known", [0.0, 0.7, 1.0])
def test_months_without_drift_are_silent(known: float) -> None:
    _, reference = model_and_reference()
    for customers, months in ((400, 30), (20_000, 3)):
        for seed in range(months):
            shown = drift(month(customers, 1_000 + seed, known=known).tally, reference)
            assert shown["level"] == "none"
            assert {part["told"] for part in [shown["score"], *shown["features"]]} == {None}


def test_small_months_without_drift_alarm_as_rarely_as_promised() -> None:
    _, reference = model_and_reference()
    alarms = sum(drift(month(60, seed).tally, reference)["level"] != "none" for seed in range(300))
    assert alarms / 300 <= 3 * FALSE_ALARMS


def test_customers_known_to_have_stayed_are_compared_with_those_who_stayed() -> None:
    against = expected([50, 50], [40, 10], 1.0)
    assert against.shares == pytest.approx((40.5 / 51, 10.5 / 51))
    assert against.rows == pytest.approx(50)
    assert expected([50, 50], [40, 10], 0.0).rows == pytest.approx(100)
    assert expected([50, 50], [0, 0], 1.0).shares == (0.5, 0.5)


def test_a_wide_schema_stays_small() -> None:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(500, 60)).astype(np.float32)
    features: list[FeatureBins] = [{"edges": edges_of(column), "counts": [0] * 11} for column in rows.T]
    counted = tally(Ruler.of(features), rows, rng.random(500).round(6).tolist(), stayed=0, synthetic=0)
    assert len(json.dumps(total([counted] * 40).document(), separators=(",", ":"))) < 20_000
