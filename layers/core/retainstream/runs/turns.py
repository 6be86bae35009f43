"""Work that is longer than one invocation: the function does as much as its time allows, and answers where the next invocation goes on."""

from collections.abc import Callable, Iterable, Iterator
from typing import Self

type SecondsLeft = Callable[[], float]
"""The time that is left of an invocation, in seconds."""


class Turn[Piece](Iterator[Piece]):
    """The pieces of some work until less than `reserve` seconds are left: always the first one, so that every turn gets further.

    A piece is done when the loop asks for the next one. Then `over` says whether the turn ended because of the time.
    """

    def __init__(self, seconds_left: SecondsLeft, reserve: float, work: Iterable[Piece]) -> None:
        self._seconds_left = seconds_left
        self._reserve = reserve
        self._work = iter(work)
        self._begun = False
        self.over = False

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Piece:
        if self._begun and self._seconds_left() < self._reserve:
            self.over = True
            raise StopIteration
        self._begun = True
        return next(self._work)
