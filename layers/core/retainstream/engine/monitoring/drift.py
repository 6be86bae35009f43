"""The drift of one run: every feature and the score compared with the model's reference, in figures and in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from retainstream.engine.monitoring.churn_shift import ChurnShift, ShiftReference, churn_shift
from retainstream.engine.monitoring.documents import (
    ChurnShiftDocument,
    FeatureReference,
    Kind,
    PartDrift,
    Reference,
    RunDrift,
    ScoreReference,
)
from retainstream.engine.monitoring.score_bins import SCORE_EDGES, SCORE_MIDDLES
from retainstream.engine.monitoring.stability import Expected, Level, Stability, expected, stability
from retainstream.engine.monitoring.tally import Tally

DRIFT_LEVELS: tuple[Level, ...] = ("none", "some", "strong")
MISSING = "missing"
_SCORE_GROUPS = 10


@dataclass(frozen=True)
class _Part:
    """A feature, or the score, with the labels of its bins."""

    feature: str
    label: str
    unit: str
    kind: Kind
    bins: list[str]


def drift(tally: Tally, reference: Reference) -> RunDrift:
    """The drift of a run, whose tally has the reference's bins."""
    comparisons = 2 + sum(2 if "probability" in feature else 1 for feature in reference["features"])
    share_stayed = tally.stayed / tally.customers if tally.customers else 0.0
    features: list[PartDrift] = []
    start = 0
    for feature in reference["features"]:
        counts = [*feature["counts"], feature["missing"]]
        now = tally.features[start : start + len(counts)]
        start += len(counts)
        then = expected(counts, [*feature["stayed"], feature["stayed_missing"]], share_stayed)
        part = _Part(feature["feature"], feature["label"], feature["unit"], feature["kind"], _bin_labels(feature))
        shift = _shift_of(feature, counts, share_stayed, now, comparisons)
        features.append(_document(part, then, now, stability(then, now, comparisons=comparisons), shift))
    score = _score(tally, reference["score"], share_stayed, comparisons)
    return {
        "customers": tally.customers,
        "reference_rows": reference["rows"],
        "level": max((part["level"] for part in [score, *features]), key=DRIFT_LEVELS.index),
        "score": score,
        "features": sorted(features, key=lambda part: (-DRIFT_LEVELS.index(part["level"]), -part["psi"])),
    }


def score_groups(counts: Sequence[int]) -> list[int]:
    """The first bin of each of the score's ten groups: each group holds about a tenth of the reference."""
    starts, below = [0], 0
    for place, count in enumerate(counts[:-1]):
        below += count
        if below * _SCORE_GROUPS >= sum(counts) * len(starts) and below < sum(counts):
            starts.append(place + 1)
    return starts


def _score(tally: Tally, reference: ScoreReference, share_stayed: float, comparisons: int) -> PartDrift:
    starts = score_groups(reference["counts"])
    ends = [*starts[1:], len(tally.scores)]

    def grouped(counts: Sequence[int]) -> list[int]:
        return [sum(counts[start:end]) for start, end in zip(starts, ends, strict=True)]

    then = expected(grouped(reference["counts"]), grouped(reference["stayed"]), share_stayed)
    now = grouped(tally.scores)
    percents = [f"{100 * SCORE_EDGES[start - 1]:.3g}" for start in starts[1:]]
    part = _Part("score", "Churn probability", "%", "number", _ranges(percents))
    shift = churn_shift(
        ShiftReference(reference["counts"], reference["stayed"], SCORE_MIDDLES, SCORE_MIDDLES),
        share_stayed,
        tally.scores,
        comparisons=comparisons,
    )
    return _document(part, then, now, stability(then, now, comparisons=comparisons), shift)


def _shift_of(feature: FeatureReference, counts: list[int], share_stayed: float, now: Sequence[int], comparisons: int) -> ChurnShift | None:
    """The churn shift of a feature; None by an earlier reference."""
    if "probability" not in feature or "stayed_probability" not in feature:
        return None
    stayed = [*feature["stayed"], feature["stayed_missing"]]
    reference = ShiftReference(counts, stayed, feature["probability"], feature["stayed_probability"])
    return churn_shift(reference, share_stayed, now, comparisons=comparisons)


def _document(part: _Part, then: Expected, now: Sequence[int], figures: Stability, shift: ChurnShift | None) -> PartDrift:
    customers = sum(now) or 1
    shares = [count / customers for count in now]
    sentences = [] if figures.level == "none" else [_sentence(part, then.shares, shares)]
    if shift and shift.level != "none":
        sentences.append(_shift_in_words(shift, sum(now)))
    return {
        "feature": part.feature,
        "label": part.label,
        "unit": part.unit,
        "psi": round(figures.psi, 6),
        "noise": round(figures.noise, 6),
        "critical": round(figures.critical, 6),
        "level": max(figures.level, shift.level if shift else "none", key=DRIFT_LEVELS.index),
        "told": " ".join(sentences) or None,
        "churn_shift": _shift_document(shift, sum(now)) if shift else None,
        "bins": [
            {"label": label, "reference": round(before, 6), "now": round(share, 6)}
            for label, before, share in zip(part.bins, then.shares, shares, strict=True)
        ],
    }


def _shift_document(shift: ChurnShift, customers: int) -> ChurnShiftDocument:
    return {
        "probability": round(shift.probability, 6),
        "customers": round(shift.probability * customers, 1),
        "relative": round(shift.relative, 4),
        "critical": round(shift.critical, 6),
        "level": shift.level,
    }


def _shift_in_words(shift: ChurnShift, customers: int) -> str:
    """What the changed distribution does to expected churn."""
    more = "more" if shift.probability > 0 else "fewer"
    return (
        f"Its changed distribution alone moves expected churn by {100 * shift.probability:+.1f} percentage points: "
        f"{abs(shift.probability) * customers:,.0f} {more} churners among {customers:,} customers."
    )


def _sentence(part: _Part, then: Sequence[float], now: Sequence[float]) -> str:
    """The bin that changed most, in words."""
    bins = part.bins
    moved = max(range(len(now)), key=lambda place: abs(now[place] - then[place]))
    shares = f"{100 * now[moved]:.1f}% of the customers now, {100 * then[moved]:.1f}% when the model was made"
    if bins[moved] == MISSING:
        return f"{part.label} is missing {'more' if now[moved] > then[moved] else 'less'} often: {shares}."
    if part.kind in ("category", "boolean"):
        return f"{part.label} has changed: {bins[moved]} for {shares}."
    known = len(bins) - (bins[-1] == MISSING)
    rise = _mean_place(now[:known]) - _mean_place(then[:known])
    higher, lower = ("longer ago", "less long ago") if part.kind == "date" else ("higher", "lower")
    return f"{part.label} is {higher if rise > 0 else lower} than it was: {_with_unit(bins[moved], part.unit)} for {shares}."


def _with_unit(label: str, unit: str) -> str:
    if unit == "%":
        return " ".join(f"{word}%" if word[0].isdigit() else word for word in label.split())
    return f"{label} {unit}" if unit else label


def _mean_place(shares: Sequence[float]) -> float:
    total = sum(shares)
    return sum(place * share for place, share in enumerate(shares)) / total if total else 0.0


def _bin_labels(feature: FeatureReference) -> list[str]:
    """What each bin holds, missing last."""
    if "levels" in feature:
        return [*feature["levels"], MISSING]
    edges = feature["edges"]
    if feature["kind"] == "boolean" and edges == [1.0]:
        return ["no", "yes", MISSING]
    if feature["kind"] not in ("integer", "date") or any(edge != int(edge) for edge in edges):
        return [*_ranges([f"{edge:.6g}" for edge in edges]), MISSING]
    integers = [int(edge) for edge in edges]
    between = [str(start) if end == start + 1 else f"{start} to {end - 1}" for start, end in pairwise(integers)]
    return [*_open_ended([str(edge) for edge in integers], between), MISSING]


def _ranges(edges: Sequence[str]) -> list[str]:
    return _open_ended(edges, [f"{start} to {end}" for start, end in pairwise(edges)])


def _open_ended(edges: Sequence[str], between: Sequence[str]) -> list[str]:
    return [f"below {edges[0]}", *between, f"{edges[-1]} or more"] if edges else ["any value"]
