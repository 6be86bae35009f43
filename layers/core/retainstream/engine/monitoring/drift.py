"""The drift of one run: every feature and the score against what they were when the model was made, in figures and in words."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from retainstream.engine.monitoring.score_bins import SCORE_EDGES
from retainstream.engine.monitoring.stability import Expected, Stability, expected, stability
from retainstream.engine.monitoring.tally import Tally

type Document = dict[str, Any]
type Reference = Mapping[str, Any]

LEVELS = ("none", "some", "strong")
MISSING = "missing"
_SCORE_GROUPS = 10


def drift(tally: Tally, reference: Reference) -> Document:
    """{customers, reference_rows, level (the highest), score, features (most drifted first)} of a run against its model's reference.

    Of the score and of each feature: feature, label, unit, psi, noise, critical, level, told (what moved, as a sentence; None without
    drift), and bins: [{label, reference, now}], shares that add up to 1. See `stability` for the figures.
    """
    comparisons = len(reference["features"]) + 1
    share_stayed = tally.stayed / tally.customers if tally.customers else 0.0
    features, place = [], 0
    for told in reference["features"]:
        counts = [*told["counts"], told["missing"]]
        now = tally.features[place : place + len(counts)]
        place += len(counts)
        against = expected(counts, [*told["stayed"], told["stayed_missing"]], share_stayed)
        features.append(_part(told, _labels(told), against, now, stability(against, now, comparisons=comparisons)))
    score = _score(tally, reference["score"], share_stayed, comparisons)
    return {
        "customers": tally.customers,
        "reference_rows": reference["rows"],
        "level": max((part["level"] for part in [score, *features]), key=LEVELS.index),
        "score": score,
        "features": sorted(features, key=lambda part: (-LEVELS.index(part["level"]), -part["psi"])),
    }


def score_groups(counts: Sequence[int]) -> list[int]:
    """Where the score's ten groups begin among its bins: each holds about a tenth of the reference."""
    starts, below = [0], 0
    for place, count in enumerate(counts[:-1]):
        below += count
        if below * _SCORE_GROUPS >= sum(counts) * len(starts) and below < sum(counts):
            starts.append(place + 1)
    return starts


def _score(tally: Tally, reference: Reference, share_stayed: float, comparisons: int) -> Document:
    starts = score_groups(reference["counts"])
    ends = [*starts[1:], len(tally.scores)]

    def grouped(counts: Sequence[int]) -> list[int]:
        return [sum(counts[start:end]) for start, end in zip(starts, ends, strict=True)]

    against = expected(grouped(reference["counts"]), grouped(reference["stayed"]), share_stayed)
    now = grouped(tally.scores)
    percents = [f"{100 * SCORE_EDGES[start - 1]:.3g}" for start in starts[1:]]
    told = {"feature": "score", "label": "Churn probability", "unit": "%", "kind": "number"}
    return _part(told, _ranges(percents), against, now, stability(against, now, comparisons=comparisons))


def _part(told: Reference, labels: Sequence[str], against: Expected, now: Sequence[int], found: Stability) -> Document:
    customers = sum(now) or 1
    shares = [count / customers for count in now]
    return {
        "feature": told["feature"],
        "label": told["label"],
        "unit": told["unit"],
        "psi": round(found.psi, 6),
        "noise": round(found.noise, 6),
        "critical": round(found.critical, 6),
        "level": found.level,
        "told": None if found.level == "none" else _sentence(told, labels, against.shares, shares),
        "bins": [
            {"label": label, "reference": round(then, 6), "now": round(share, 6)}
            for label, then, share in zip(labels, against.shares, shares, strict=True)
        ],
    }


def _sentence(told: Reference, labels: Sequence[str], then: Sequence[float], now: Sequence[float]) -> str:
    """What moved most."""
    moved = max(range(len(now)), key=lambda place: abs(now[place] - then[place]))
    shares = f"{100 * now[moved]:.1f} % of the customers now, {100 * then[moved]:.1f} % when the model was made"
    if labels[moved] == MISSING:
        return f"{told['label']} is missing {'more' if now[moved] > then[moved] else 'less'} often: {shares}."
    if told["kind"] in ("category", "boolean"):
        return f"{told['label']} has changed: {labels[moved]} for {shares}."
    known = len(labels) - (labels[-1] == MISSING)
    rise = _mean_place(now[:known]) - _mean_place(then[:known])
    unit = f" {told['unit']}" if told["unit"] else ""
    return f"{told['label']} is {'higher' if rise > 0 else 'lower'} than it was: {labels[moved]}{unit} for {shares}."


def _mean_place(shares: Sequence[float]) -> float:
    whole = sum(shares)
    return sum(place * share for place, share in enumerate(shares)) / whole if whole else 0.0


def _labels(told: Reference) -> list[str]:
    """What each bin holds, missing last."""
    if "levels" in told:
        return [*told["levels"], MISSING]
    edges = told["edges"]
    if told["kind"] == "boolean" and edges == [1.0]:
        return ["no", "yes", MISSING]
    if told["kind"] != "integer" or any(edge != int(edge) for edge in edges):
        return [*_ranges([f"{edge:.6g}" for edge in edges]), MISSING]
    whole = [int(edge) for edge in edges]
    between = [str(start) if end == start + 1 else f"{start} to {end - 1}" for start, end in pairwise(whole)]
    return [*_open_ended([str(edge) for edge in whole], between), MISSING]


def _ranges(edges: Sequence[str]) -> list[str]:
    return _open_ended(edges, [f"{start} to {end}" for start, end in pairwise(edges)])


def _open_ended(edges: Sequence[str], between: Sequence[str]) -> list[str]:
    return [f"below {edges[0]}", *between, f"{edges[-1]} or more"] if edges else ["any value"]
