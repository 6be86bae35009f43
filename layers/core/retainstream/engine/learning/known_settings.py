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
    KnownSettings(5, 0.21, 0.89, 0.8, 0.57, after_linear=True),
    KnownSettings(5, 0.39, 0.94, 0.69, 0.68),
    KnownSettings(3, 0.13, 0.92, 0.71, 0.25, after_linear=True),
    KnownSettings(7, 1.7, 0.74, 0.7, 4.2),
    KnownSettings(2, 0.26, 0.9, 0.4, 12.0, grouped=True),
    KnownSettings(3, 2.9, 0.85, 0.43, 4.8, after_linear=True),
    KnownSettings(6, 1.1, 0.8, 0.42, 2.1, grouped=True),
    KnownSettings(8, 1.2, 0.68, 0.52, 5.9, after_linear=True),
    KnownSettings(2, 0.78, 0.6, 0.61, 26.0),
    KnownSettings(7, 0.86, 0.76, 0.5, 7.0),
    KnownSettings(2, 0.12, 0.91, 0.76, 1.7),
    KnownSettings(6, 3.2, 0.75, 0.64, 14.0, after_linear=True, grouped=True),
    KnownSettings(4, 0.16, 0.57, 0.66, 0.33, grouped=True),
    KnownSettings(2, 0.64, 0.72, 0.94, 9.8, after_linear=True, grouped=True),
    KnownSettings(4, 16.0, 0.96, 0.93, 0.36),
    KnownSettings(5, 0.95, 0.93, 0.57, 0.18, after_linear=True, grouped=True),
    KnownSettings(8, 3.9, 0.84, 0.65, 4.0),
    KnownSettings(3, 0.52, 0.86, 0.34, 2.8),
    KnownSettings(5, 23.0, 0.97, 0.97, 4.0),
    KnownSettings(7, 1.4, 0.75, 0.35, 2.2, after_linear=True),
)
