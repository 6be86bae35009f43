"""Settings of the trees that together suit most tables. A search tries them before it draws others.

On almost any table the best of these settings is close to the best of a long random search. The most useful settings come first, so that a
short search tries the best part of the list. `bench/settings.py` measures many settings on many tables and chooses the list.
"""

from dataclasses import dataclass

from retainstream.engine.learning.trees import TreeSettings


@dataclass(frozen=True)
class KnownSettings:
    """Settings of the trees without the learning rate, which the search chooses by the number of rows.

    after_linear: the trees follow a linear stage. grouped: the levels of a category are split into groups, and not one by one.
    """

    depth: int
    min_child_weight: float
    subsample: float
    columns: float
    penalty: float
    after_linear: bool = False
    grouped: bool = False

    def settings(self, eta: float, linear: float | None) -> TreeSettings:
        """The settings with this learning rate; `linear` is the penalty of the linear stage, for settings that follow one."""
        return TreeSettings(
            self.depth,
            eta,
            min_child_weight=self.min_child_weight,
            subsample=self.subsample,
            columns=self.columns,
            penalty=self.penalty,
            linear=linear if self.after_linear else None,
            grouped=self.grouped,
        )


KNOWN_SETTINGS = (
    KnownSettings(4, 1.0, 0.8, 0.4, 5.0),
    KnownSettings(3, 5.0, 0.7, 0.4, 5.0, after_linear=True),
    KnownSettings(6, 0.5, 0.7, 0.4, 10.0),
    KnownSettings(3, 10.0, 0.6, 0.5, 1.0),
    KnownSettings(5, 2.0, 0.8, 0.5, 5.0, grouped=True),
    KnownSettings(5, 1.0, 0.8, 0.3, 15.0, after_linear=True),
    KnownSettings(8, 0.2, 0.8, 0.3, 20.0),
    KnownSettings(2, 2.0, 0.6, 0.5, 1.0),
    KnownSettings(2, 20.0, 0.6, 0.3, 20.0, after_linear=True),
    KnownSettings(7, 8.0, 0.7, 0.5, 10.0, grouped=True),
    KnownSettings(5, 15.0, 0.6, 0.6, 2.0),
    KnownSettings(4, 0.3, 0.9, 0.7, 3.0, after_linear=True),
    KnownSettings(3, 1.0, 0.8, 0.4, 10.0, grouped=True),
    KnownSettings(10, 0.1, 0.7, 0.3, 30.0),
    KnownSettings(1, 10.0, 0.7, 0.5, 5.0, after_linear=True),
    KnownSettings(6, 30.0, 0.8, 0.8, 1.0),
    KnownSettings(4, 0.1, 1.0, 0.9, 1.0),
    KnownSettings(6, 0.2, 0.7, 0.4, 25.0, after_linear=True),
    KnownSettings(4, 4.0, 0.6, 0.4, 8.0, after_linear=True, grouped=True),
    KnownSettings(3, 0.05, 1.0, 0.3, 0.3),
)
