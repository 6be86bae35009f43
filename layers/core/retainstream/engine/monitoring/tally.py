"""The counts of a scoring run. All are integers, so tallies add up exactly in any order and any grouping."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import zip_longest

from retainstream.engine.monitoring.documents import TallyDocument
from retainstream.engine.monitoring.score_bins import SCORE_BINS


@dataclass(frozen=True)
class Tally:
    """Counts of scored customers.

    stayed: customers known to have stayed. synthetic: generated customers.
    features: customers per bin, feature after feature (see `histograms.Ruler`); empty without a reference.
    scores: customers per bin of the probability (see `score_bins`). chances: their summed probabilities, in millionths, per bin.
    """

    customers: int = 0
    stayed: int = 0
    synthetic: int = 0
    features: tuple[int, ...] = ()
    scores: tuple[int, ...] = (0,) * SCORE_BINS
    chances: tuple[int, ...] = (0,) * SCORE_BINS

    def document(self) -> TallyDocument:
        filled = {str(place): [count, self.chances[place]] for place, count in enumerate(self.scores) if count}
        return {
            "customers": self.customers,
            "stayed": self.stayed,
            "synthetic": self.synthetic,
            "features": list(self.features),
            "scores": filled,
        }


def tally_from(document: TallyDocument) -> Tally:
    """The tally of a document."""
    scores, chances = [0] * SCORE_BINS, [0] * SCORE_BINS
    for place, (count, millionths) in document["scores"].items():
        scores[int(place)], chances[int(place)] = count, millionths
    return Tally(
        document["customers"], document["stayed"], document["synthetic"], tuple(document["features"]), tuple(scores), tuple(chances)
    )


def total(tallies: Iterable[Tally]) -> Tally:
    """The sum of tallies."""
    parts = list(tallies)
    return Tally(
        sum(part.customers for part in parts),
        sum(part.stayed for part in parts),
        sum(part.synthetic for part in parts),
        tuple(map(sum, zip_longest(*(part.features for part in parts), fillvalue=0))),
        tuple(map(sum, zip(Tally().scores, *(part.scores for part in parts), strict=True))),
        tuple(map(sum, zip(Tally().chances, *(part.chances for part in parts), strict=True))),
    )
