"""Directions, missing values, the linear model's threshold and the share of the ceiling, on made data whose truth is known."""

import math
from collections.abc import Callable
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from bench.known_truth.row import Row
from retainstream.engine.learning.baseline import LinearBaseline, out_of_fold
from retainstream.engine.learning.cross_validation import share_of_ceiling
from retainstream.engine.learning.dataset import DataSet, unknown_anchors
from retainstream.engine.learning.importance import direction, rank_correlation
from retainstream.engine.learning.metrics import best_f1_threshold, roc_auc
from retainstream.engine.schema import Column, FeatureSchema, default_schema
from retainstream.engine.traps.evidence import Cell
from retainstream.engine.traps.gaps import FALSE_ALARMS, Gap

type Floats = NDArray[np.float64]
type Shape = Callable[[Floats], Floats]

TENURE = Column(name="tenure", kind="number", label="Tenure")


def rows(repetitions: int | None = None) -> list[Row]:
    """The figures of this part."""
    return [*_directions(repetitions or 200), _threshold(repetitions or 100), _ceiling(), *_gaps(repetitions or 2_000)]


def u_shape(values: Floats) -> Floats:
    """A risk that falls over the lowest third of the customers, and rises over the others."""
    return np.abs(values - 1 / 3)


def plateau(values: Floats) -> Floats:
    """A risk that rises over half of the customers, and then stays."""
    return np.minimum(values, 0.5)


def called_increasing(shape: Shape, repetitions: int) -> tuple[float, float]:
    """The share of samples of 2,000 customers in which a column is called increasing, before and now."""
    rng, before, now = np.random.default_rng(1), 0, 0
    for _ in range(repetitions):
        values = rng.random(2_000)
        contributions = shape(values) + rng.normal(0, 0.05, 2_000)
        encoded = values.astype(np.float32)
        before += rank_correlation(encoded, contributions) >= 0.5  # what the earlier version did
        now += direction(TENURE, encoded, contributions) == "increasing"
    return before / repetitions, now / repetitions


def _directions(repetitions: int) -> list[Row]:
    cases = (("falls over a third of the customers and then rises", u_shape, "0%"), ("rises and then stays", plateau, "100%"))
    found = [
        (f"samples in which a risk that {words} is called increasing", *called_increasing(shape, repetitions), truth)
        for words, shape, truth in cases
    ]
    return [
        Row(words, f"{before:.0%}", f"{now:.0%}", truth, repetitions, "`engine/learning/importance.py`; rank correlation: Spearman 1904")
        for words, before, now, truth in found
    ]


def wide_table(rng: np.random.Generator, customers: int, columns: int = 40) -> DataSet:
    """Customers with normal columns, of which the first four move the log-odds of leaving."""
    features = rng.normal(size=(customers, columns))
    chances = 1 / (1 + np.exp(1.6 - 0.6 * features[:, :4].sum(axis=1)))
    base = default_schema()
    schema = FeatureSchema(
        name="wide",
        title="Wide",
        id=base.id,
        label=base.label,
        horizon_days=30,
        columns=tuple(Column(name=f"x{place}", kind="number", label=f"X{place}") for place in range(columns)),
    )
    return DataSet(
        schema=schema,
        keys=rng.permutation(customers).astype(np.uint64) * np.uint64(2**40),
        rows=features.astype(np.float32),
        churned=rng.random(customers) < chances,
        groups=np.zeros(customers, dtype=np.int16),
        prices=np.zeros(customers),
        synthetic=np.zeros(customers, dtype=bool),
        anchors=unknown_anchors(customers),
    )


def thresholds(repetitions: int, customers: int = 400) -> tuple[float, float, float]:
    """The linear model's mean threshold: chosen on its own rows (as before), out of fold (as now), and the best on 10,000 new customers."""
    rng = np.random.default_rng(2)
    found = []
    for _ in range(repetitions):
        learned, new = wide_table(rng, customers), wide_table(rng, 10_000)
        model = LinearBaseline.fit(learned.schema, learned.rows, learned.churned)
        own = best_f1_threshold(learned.churned, model.probabilities(learned.rows))
        found.append((own, best_f1_threshold(*out_of_fold(learned)), best_f1_threshold(new.churned, model.probabilities(new.rows))))
    own, cross_fitted, best = np.mean(found, axis=0).tolist()
    return own, cross_fitted, best


def _threshold(repetitions: int) -> Row:
    own, cross_fitted, best = thresholds(repetitions)
    words = "threshold of the linear model, 400 customers with 40 columns"
    return Row(words, f"{own:.2f}", f"{cross_fitted:.2f}", f"{best:.2f}", repetitions, "`engine/learning/baseline.py`")


def shares_of_ceiling(ranked_by_truth: float = 0.9, customers: int = 20_000) -> tuple[float, float]:
    """The share of the ceiling, as before and above chance, of a model that ranks this share of the pairs by the truth.

    A coin ranks the others. Such a model has the AUC `ranked_by_truth` × ceiling + (1 - `ranked_by_truth`) / 2.
    """
    rng = np.random.default_rng(3)
    truth = rng.beta(1, 4, customers)
    ceiling = roc_auc(rng.random(customers) < truth, truth)
    auc = ranked_by_truth * ceiling + (1 - ranked_by_truth) / 2
    return auc / ceiling, share_of_ceiling(auc, ceiling)


def _ceiling() -> Row:
    before, now = shares_of_ceiling()
    words = "share of the ceiling of a model that ranks 90% of the pairs by the truth and 10% by a coin"
    return Row(words, f"{before:.0%}", f"{now:.0%}", "90%", 1, "`engine/learning/cross_validation.py`")


def earlier_gap_tells(gap: Gap, comparisons: int) -> bool:
    """What the earlier version did: a normal interval of the log odds ratio, with half a row more in each count."""
    missing, known = gap.missing, gap.known
    counts = np.array([missing.churned, missing.rows - missing.churned, known.churned, known.rows - known.churned]) + 0.5
    z = NormalDist().inv_cdf(1 - FALSE_ALARMS / (2 * comparisons))
    error = math.sqrt(float((1 / counts).sum()))
    return min(missing.rows, known.rows) >= 10 and abs(math.log(gap.odds_ratio)) - z * error >= math.log(2)


def earlier_gap_gives_away(gap: Gap) -> bool:
    """What the earlier version did: whether a value is missing ranks the customers with an AUC of 0.80 or more."""
    missing, known = gap.missing, gap.known
    stayed = missing.rows - missing.churned
    auc = 0.5 + (missing.churned / (missing.churned + known.churned) - stayed / (stayed + known.rows - known.churned)) / 2
    return max(auc, 1 - auc) >= 0.80


def gap_of(missing: tuple[int, float], known: tuple[int, float], rng: np.random.Generator) -> Gap:
    """A gap of (customers, their chance of leaving) without and with a value."""
    return Gap(*(Cell("", customers, int(rng.binomial(customers, chance))) for customers, chance in (missing, known)))


def gaps_that_tell(missing: tuple[int, float], known: tuple[int, float], repetitions: int, comparisons: int = 1) -> tuple[float, float]:
    """The share of tables in which any of so many such gaps is said to tell, before and now."""
    rng, before, now = np.random.default_rng(4), 0, 0
    for _ in range(repetitions):
        gaps = [gap_of(missing, known, rng) for _ in range(comparisons)]
        before += any(earlier_gap_tells(gap, comparisons) for gap in gaps)
        now += any(gap.tells(comparisons) for gap in gaps)
    return before / repetitions, now / repetitions


def gaps_that_give_away(left: float, stayed: float, repetitions: int) -> tuple[float, float]:
    """The share of tables of 200 leavers and 1,800 stayers with an alarm, before and now, where so many of them lack a value."""
    rng, before, now = np.random.default_rng(5), 0, 0
    for _ in range(repetitions):
        churned, others = int(rng.binomial(200, left)), int(rng.binomial(1_800, stayed))
        gap = Gap(Cell("", churned + others, churned), Cell("", 2_000 - churned - others, 200 - churned))
        before += earlier_gap_gives_away(gap)
        now += gap.gives_away(1)
    return before / repetitions, now / repetitions


TELLING: tuple[tuple[tuple[int, float], tuple[int, float]], ...] = (
    ((100, 1.0), (1_900, 0.8)),
    ((60, 0.0), (1_140, 0.2)),
    ((300, 0.0), (5_700, 0.05)),
    ((25, 1.0), (475, 0.5)),
)
"""Gaps of which all customers, or none, left: the churn rates differ far beyond chance."""


def _gaps(repetitions: int) -> list[Row]:
    source = "`engine/traps/gaps.py`; exact conditional test: Fisher 1935"
    found = [
        (
            f"tables in which {missing[0]} missing values tell, {missing[1]:.0%} of them left beside {known[1]:.0%}",
            missing,
            known,
            1,
            "100%",
        )
        for missing, known in TELLING
    ]
    found.append(("tables in which any of 20 gaps unrelated to leaving tells", (60, 0.2), (1_140, 0.2), 20, "≤ 1%"))
    shown = []
    for words, missing, known, comparisons, truth in found:
        before, now = gaps_that_tell(missing, known, repetitions, comparisons)
        shown.append(Row(words, f"{before:.1%}", f"{now:.1%}", truth, repetitions, source))
    for words, left, stayed, truth in (
        ("alarms at training: a value is missing for half of the leavers and for no other customer", 0.5, 0.0, "100%"),
        ("alarms at training: a value is missing for 80% of the leavers and 20% of the others, as with few logins", 0.8, 0.2, "0%"),
    ):
        before, now = gaps_that_give_away(left, stayed, repetitions)
        shown.append(Row(words, f"{before:.1%}", f"{now:.1%}", truth, repetitions, source))
    return shown
