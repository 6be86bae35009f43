"""One figure beside its truth."""

from typing import NamedTuple


class Row(NamedTuple):
    """A figure as the earlier version gave it, as it is now, and as it should be.

    figure: its name and the made data, in words. repetitions: the number of simulated samples behind the figures.
    source: the formula's author and year, or the module that has it.
    """

    figure: str
    before: str
    after: str
    truth: str
    repetitions: int
    source: str
