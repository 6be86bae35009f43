"""Proposes the silence that counts as churn: the smallest of which few enough end."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

from retainstream.engine.silence.silences import Returns, Silences

CANDIDATES = (7, 14, 21, *range(30, 361, 15), 365, *range(390, 731, 30))
WINDOWS = (30, 90, 180)
RETURN_SHARE = 0.1
FEWEST = 50
"""Customers below which a share of returns is not used: at 10% its 95% interval is wider than 4% to 21%."""

_ACTIVITY = (1, 2, 6, 21, 101, 501, 2001)
_GROUPED_BY = 30
_SIGMAS = 3.0
_TIMES, _POINTS = 1.5, 0.05


@dataclass(frozen=True)
class Curve:
    """The returns after each candidate, and the smallest candidate with the chosen return share; None where there is none."""

    returns: dict[int, tuple[Returns, ...]]
    proposed_days: int | None

    def longest(self, within_days: int) -> int | None:
        """The longest candidate that enough customers have; None if there is no such candidate."""
        return _longest(self.returns, within_days)

    def at(self, days: int, within_days: int) -> Returns:
        """The returns within so many days after a silence of `days`.

        Raises:
            KeyError, StopIteration: no such candidate or window.
        """
        return next(returns for returns in self.returns[days] if returns["within_days"] == within_days)


@dataclass(frozen=True)
class Group:
    """Silences after `fewest` to `most` events of the customer (None: without an upper limit)."""

    fewest: int
    most: int | None
    curve: Curve

    @property
    def name(self) -> str:
        """As in "2 to 5 events"."""
        if self.most is None:
            return f"{self.fewest:,} event{'' if self.fewest == 1 else 's'} or more"
        if self.fewest == self.most:
            return f"{self.fewest:,} event{'' if self.fewest == 1 else 's'}"
        return f"{self.fewest:,} to {self.most:,} events"


@dataclass(frozen=True)
class Definition:
    """Returns after silences, overall and by earlier activity, with a proposal.

    within_days: the return window of the proposal. compared_days: the silence at which the groups are compared, the longest up to the
    proposal that all groups have; None where they cannot be compared.
    one_for_all: whether the groups return alike at that silence; None where they cannot be compared.
    """

    return_share: float
    within_days: int
    curve: Curve
    groups: tuple[Group, ...]
    compared_days: int | None
    one_for_all: bool | None

    @property
    def proposed_days(self) -> int | None:
        return self.curve.proposed_days


def define(silences: Silences, *, return_share: float = RETURN_SHARE, within_days: int | None = None) -> Definition:
    """The returns after each candidate, by earlier activity, and the smallest candidate of which at most `return_share` end.

    Args:
        within_days: the window in which a return counts, in days after the silence. None takes the longest of WINDOWS for which the data
            is long enough: it has such a candidate, or at least enough customers for one candidate.
    """
    windows = tuple(sorted({*WINDOWS, *([within_days] if within_days else [])}))
    lasting = silences.lasting(CANDIDATES[0])
    counted = {days: tuple(lasting.returns(days, window) for window in windows) for days in CANDIDATES}
    window = within_days or _window(counted, return_share)
    curve = Curve(counted, _proposed(counted, window, return_share))
    groups = tuple(_group(lasting, fewest, most, windows, window, return_share) for fewest, most in _groups(lasting, window))
    judged = [days for days in CANDIDATES if days <= (curve.proposed_days or days)]
    compared = next((days for days in reversed(judged) if all(_enough(group.curve.at(days, window)) for group in groups)), None)
    if len(groups) < 2 or compared is None:
        return Definition(return_share, window, curve, groups, None, None)
    return Definition(return_share, window, curve, groups, compared, not _differ([group.curve.at(compared, window) for group in groups]))


def _window(counted: dict[int, tuple[Returns, ...]], return_share: float) -> int:
    """The longest window that the data can judge, with a candidate that has the return share if there is one."""
    judged = [window for window in reversed(WINDOWS) if _longest(counted, window)]
    return next((window for window in judged if _proposed(counted, window, return_share)), judged[0] if judged else WINDOWS[0])


def _longest(counted: dict[int, tuple[Returns, ...]], window: int) -> int | None:
    """The longest candidate that enough customers have, with a window of so many days after it."""
    enough = [days for days, each in counted.items() if any(_enough(returns) and returns["within_days"] == window for returns in each)]
    return max(enough, default=None)


def _proposed(counted: dict[int, tuple[Returns, ...]], window: int, return_share: float) -> int | None:
    for days, each in counted.items():
        returns = next(returns for returns in each if returns["within_days"] == window)
        if _enough(returns) and returns["share"] is not None and returns["share"] <= return_share:
            return days
    return None


def _enough(returns: Returns) -> bool:
    return returns["customers"] >= FEWEST


def _groups(silences: Silences, window: int) -> list[tuple[int, int | None]]:
    """The bounds of groups by earlier activity, each with enough customers for a share of returns."""
    bounds = list(_ACTIVITY)
    while len(bounds) > 1:
        ranges = _ranges(bounds)
        small = [place for place, (low, high) in enumerate(ranges) if not _enough(silences.after(low, high).returns(_GROUPED_BY, window))]
        if not small:
            return ranges
        bounds.pop(max(small[-1], 1))
    return _ranges(bounds)


def _ranges(bounds: Sequence[int]) -> list[tuple[int, int | None]]:
    return list(zip(bounds, [*(bound - 1 for bound in bounds[1:]), None], strict=True))


def _group(silences: Silences, fewest: int, most: int | None, windows: Sequence[int], window: int, return_share: float) -> Group:
    members = silences.after(fewest, most)
    counted = {days: tuple(members.returns(days, each) for each in windows) for days in CANDIDATES}
    return Group(fewest, most, Curve(counted, _proposed(counted, window, return_share)))


def _differ(groups: Sequence[Returns]) -> bool:
    """Whether the groups' return shares differ beyond chance, and by enough to matter."""
    shares = sorted(((group["share"] or 0.0, group) for group in groups), key=lambda pair: pair[0])
    (low, least), (high, most) = shares[0], shares[-1]
    error = sqrt(_error(least) ** 2 + _error(most) ** 2)
    return high - low >= max(_POINTS, _SIGMAS * error) and high >= _TIMES * low


def _error(returns: Returns) -> float:
    return ((returns["high"] or 0.0) - (returns["low"] or 0.0)) / (2 * 1.959964)
