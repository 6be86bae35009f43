"""What is counted of the customers that a run scores. Whole numbers alone, so tallies add up exactly in any order and any grouping."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from retainstream.engine.monitoring.score_bins import SCORE_BINS

SYNTHETIC = "synthetic"
"""The source of customers that the generator made."""


@dataclass(frozen=True)
class Tally:
    """Counts of scored customers.

    customers: how many. stayed: those of them known to have stayed. synthetic: those that were generated.
    features: customers per bin, the bins of all features one after the other (see `histograms.Ruler`); empty without a reference.
    scores: customers per bin of probability (see `score_bins`); chances: their summed probabilities, in millionths, per bin.
    """

    customers: int = 0
    stayed: int = 0
    synthetic: int = 0
    features: tuple[int, ...] = ()
    scores: tuple[int, ...] = (0,) * SCORE_BINS
    chances: tuple[int, ...] = (0,) * SCORE_BINS

    def document(self) -> dict[str, Any]:
        """Plain values for JSON; of scores and chances only the bins that hold customers: {bin: [customers, millionths]}."""
        filled = {str(place): [count, self.chances[place]] for place, count in enumerate(self.scores) if count}
        return {
            "customers": self.customers,
            "stayed": self.stayed,
            "synthetic": self.synthetic,
            "features": list(self.features),
            "scores": filled,
        }


def tally_from(document: Mapping[str, Any]) -> Tally:
    """The tally that was made a document."""
    scores, chances = [0] * SCORE_BINS, [0] * SCORE_BINS
    for place, (count, millionths) in document["scores"].items():
        scores[int(place)], chances[int(place)] = count, millionths
    return Tally(
        document["customers"], document["stayed"], document["synthetic"], tuple(document["features"]), tuple(scores), tuple(chances)
    )


def total(tallies: Iterable[Tally]) -> Tally:
    """Tallies added up."""
    parts = list(tallies)
    return Tally(
        sum(part.customers for part in parts),
        sum(part.stayed for part in parts),
        sum(part.synthetic for part in parts),
        tuple(map(sum, zip_longest(*(part.features for part in parts), fillvalue=0))),
        tuple(map(sum, zip(Tally().scores, *(part.scores for part in parts), strict=True))),
        tuple(map(sum, zip(Tally().chances, *(part.chances for part in parts), strict=True))),
    )
