"""Settings to try: the known ones first, then random ones."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from retainstream.engine.learning.known_settings import KNOWN_SETTINGS
from retainstream.engine.learning.trees import TreeSettings

_SHALLOWEST = 2
_MIN_CHILD_WEIGHT, _PENALTY = (0.05, 30.0), (0.5, 20.0)
_SHARE_OF_GROUPED = 1 / 3
_COLUMNS, _SUBSAMPLE = (0.3, 0.9), (0.55, 1.0)


@dataclass(frozen=True)
class Space:
    """The settings that suit the data.

    linear: the penalty of the linear stage. share_of_linear, share_of_encoded: of the candidates that have the stage, or derived inputs.
    """

    eta: float
    deepest: int
    linear: float | None = None
    share_of_linear: float = 0.0
    share_of_encoded: float = 0.0
    grouped: bool = False


def candidates(space: Space, seed: int) -> Iterator[TreeSettings]:
    """Settings without end: those of the known ones that are in the space, then draws. The same seed gives the same settings."""
    random = np.random.default_rng(seed)
    for known in KNOWN_SETTINGS:
        encoded = bool(random.random() < space.share_of_encoded)
        if known.depth <= space.deepest and (space.share_of_linear or not known.after_linear) and (space.grouped or not known.grouped):
            yield known.settings(space.eta, space.linear).changed(encoded=encoded)
    while True:
        yield _drawn(space, random)


def _drawn(space: Space, random: np.random.Generator) -> TreeSettings:
    """Every draw takes the same number of random numbers, so that a space with other columns does not move the other settings."""
    depth, weight, penalty, columns, subsample, linear, grouped, encoded = random.random(8)
    return TreeSettings(
        depth=_SHALLOWEST + int(depth * (space.deepest - _SHALLOWEST + 1)),
        eta=space.eta,
        min_child_weight=_rounded(_between_in_log(*_MIN_CHILD_WEIGHT, weight)),
        subsample=_rounded(_between(*_SUBSAMPLE, subsample)),
        columns=_rounded(_between(*_COLUMNS, columns)),
        penalty=_rounded(_between_in_log(*_PENALTY, penalty)),
        linear=space.linear if linear < space.share_of_linear else None,
        grouped=bool(space.grouped and grouped < _SHARE_OF_GROUPED),
        encoded=bool(encoded < space.share_of_encoded),
    )


def _between(low: float, high: float, share: float) -> float:
    return low + share * (high - low)


def _between_in_log(low: float, high: float, share: float) -> float:
    return float(low * (high / low) ** share)


def _rounded(value: float) -> float:
    """A value with two digits."""
    return float(f"{value:.2g}")
