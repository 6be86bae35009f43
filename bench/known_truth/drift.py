"""What a shifted column does to expected churn, and how often a run without drift raises an alarm, on made data whose truth is known."""

import numpy as np
from numpy.typing import NDArray

from bench.known_truth.row import Row
from retainstream.engine.monitoring.documents import FeatureBins, FeatureReference, PartDrift, Reference, RunDrift
from retainstream.engine.monitoring.drift import drift
from retainstream.engine.monitoring.histograms import Ruler, edges_of, score_counts, tally
from retainstream.engine.monitoring.stability import Expected, stability

type Floats = NDArray[np.float64]

EFFECTS = np.array([0.6, -0.5, 0.4, -0.3, 0.2, 0.0, 0.0, 0.0])
"""What one standard deviation of each of eight independent normal columns adds to the log-odds of leaving."""
BASE = -2.5
SOURCE = "`engine/monitoring/churn_shift.py`"


def rows(repetitions: int | None = None) -> list[Row]:
    """The figures of this part."""
    times = repetitions or 10
    before, points, told, truth = shift_of_a_column(times)
    silent = shift_of_a_column(times, column=5)[2]
    shown = [
        Row(
            "shift of expected churn by a column .3 standard deviations higher, percentage points, 1,000,000 customers",
            f"none (PSI {before:.3f})",
            f"{100 * points:+.2f}",
            f"{100 * truth:+.2f}",
            times,
            SOURCE,
        ),
        Row("runs of 1,000,000 that report this column", "0%", f"{told:.0%}", "100%", times, SOURCE),
        Row(
            "runs of 1,000,000 that report a column as far off that has nothing to do with churn",
            "0%",
            f"{silent:.0%}",
            "0%",
            times,
            SOURCE,
        ),
    ]
    for customers, runs in ((60, 2_000), (200, 2_000), (2_000, 1_000)):
        earlier, now = alarms_without_drift(customers, repetitions or runs)
        words = f"runs of {customers:,} customers without drift that raise any alarm, eight columns and the score"
        shown.append(Row(words, f"{earlier:.1%}", f"{now:.1%}", "≤ 1%", repetitions or runs, f"{SOURCE}; PSI: Yurdakul 2018"))
    return shown


def chances_of(features: Floats) -> Floats:
    """The true churn probabilities (n,) of customers by their columns (n, 8)."""
    chances: Floats = 1 / (1 + np.exp(-BASE - features @ EFFECTS))
    return chances


def reference_of(features: Floats, rng: np.random.Generator) -> Reference:
    """The reference of a model that knows the true probabilities, made with these customers."""
    rows, chances = features.astype(np.float32), chances_of(features)
    stayed = rng.random(len(rows)) >= chances
    bins: list[FeatureBins] = []
    for values in rows.T:
        edges = edges_of(values)
        bins.append({"edges": edges, "counts": [0] * (len(edges) + 1)})
    ruler = Ruler.of(bins)
    sides = [(ruler.counts(rows[side]), ruler.sums(rows[side], chances[side])) for side in (np.full(len(rows), True), stayed)]
    counts, of_stayed = (ruler.by_feature(counts) for counts, _ in sides)
    means, stayed_means = (ruler.by_feature(sums / np.maximum(counts, 1)) for counts, sums in sides)
    described: list[FeatureReference] = [
        {
            "feature": f"x{place}",
            "label": f"X{place}",
            "unit": "",
            "kind": "number",
            **bins[place],
            "counts": counts[place][:-1].tolist(),
            "missing": 0,
            "stayed": of_stayed[place][:-1].tolist(),
            "stayed_missing": 0,
            "probability": means[place].tolist(),
            "stayed_probability": stayed_means[place].tolist(),
        }
        for place in range(len(bins))
    ]
    return {
        "rows": len(rows),
        "stayed_rows": int(stayed.sum()),
        "features": described,
        "score": {"rows": len(rows), "counts": score_counts(chances).tolist(), "stayed": score_counts(chances[stayed]).tolist()},
    }


def run_of(features: Floats, reference: Reference) -> RunDrift:
    """The drift of a run that scores these customers."""
    counted = tally(
        Ruler.of(reference["features"]), features.astype(np.float32), chances_of(features).tolist(), stayed=0, synthetic=len(features)
    )
    return drift(counted, reference)


def earlier_alarm(run: RunDrift, reference: Reference) -> bool:
    """What the earlier version did: the population stability index alone, of the columns and of the score."""
    parts: list[PartDrift] = [run["score"], *run["features"]]
    return any(_earlier_level(part, run["customers"], reference) != "none" for part in parts)


def _earlier_level(part: PartDrift, customers: int, reference: Reference) -> str:
    shares = [shown["reference"] for shown in part["bins"]]
    total = sum(shares)
    then = Expected(tuple(share / total for share in shares), reference["rows"])
    now = [round(shown["now"] * customers) for shown in part["bins"]]
    return stability(then, now, comparisons=len(reference["features"]) + 1).level


def shift_of_a_column(repetitions: int, column: int = 0, by: float = 0.3, customers: int = 1_000_000) -> tuple[float, float, float, float]:
    """A column that is higher by so many standard deviations, against 40,000 training customers.

    Mean PSI, mean shift of expected churn, share of the runs that report the column, and the true shift.
    """
    rng = np.random.default_rng(6)
    indices, shifts, told, truths = [], [], 0, []
    for _ in range(repetitions):
        reference = reference_of(rng.normal(size=(40_000, len(EFFECTS))), rng)
        features = rng.normal(size=(customers, len(EFFECTS)))
        usual = chances_of(features).mean()
        features[:, column] += by
        truths.append(chances_of(features).mean() - usual)
        part = next(part for part in run_of(features, reference)["features"] if part["feature"] == f"x{column}")
        shift = part["churn_shift"]
        indices.append(part["psi"])
        shifts.append(shift["probability"] if shift else 0.0)
        told += part["level"] != "none"
    return float(np.mean(indices)), float(np.mean(shifts)), told / repetitions, float(np.mean(truths))


def alarms_without_drift(customers: int, runs: int, references: int = 10) -> tuple[float, float]:
    """The share of runs without drift that raise any alarm, by the index alone as before, and now."""
    rng, before, now = np.random.default_rng(7), 0, 0
    for _ in range(references):
        reference = reference_of(rng.normal(size=(5_000, len(EFFECTS))), rng)
        for _ in range(runs // references):
            run = run_of(rng.normal(size=(customers, len(EFFECTS))), reference)
            before += earlier_alarm(run, reference)
            now += run["level"] != "none"
    return before / runs, now / runs
