"""Categories of so many levels that a number for each level tells a model more than the levels do.

Trees take one level apart with each split, or sort the levels by their churners, which memorises chance where levels have few rows. A
number for each level, its log-odds of churn, is shrunk to that of all rows the more, the fewer rows the level has and the less the levels
differ beyond chance. So a column that says nothing gets numbers that hardly differ. Where the levels differ little, the number takes
their place, because trees would find chance in them.
"""

import numpy as np
from numpy.typing import NDArray

from retainstream.engine.schema import Column, FeatureSchema

type Counts = NDArray[np.float64]

MANY_LEVELS = 30
"""Levels above which a number stands for them."""
_FEWEST_PRIOR_ROWS, _MOST_PRIOR_ROWS = 2.0, 500.0
_PRIOR_ROWS_OF_WEAK_LEVELS = 100.0


def is_encoded(column: Column) -> bool:
    """Whether a column has so many levels that a number stands for them."""
    return len(column.levels) > MANY_LEVELS


def columns_to_encode(schema: FeatureSchema) -> list[int]:
    """The places, among the features, of the categories with many levels."""
    return [place for place, column in enumerate(schema.features) if is_encoded(column)]


def prior_rows(count: Counts, left: Counts) -> float:
    """Rows of the average rate that are added to each level, by how much the rates of the levels differ beyond chance.

    count, left: the rows and the churners of each level (m,), without empty levels. The variance between levels is estimated by moments
    (Kleinman, "Proportions with extraneous variance: single and independent samples", 1973).
    """
    rows = count.sum()
    rate = (left.sum() + 0.5) / (rows + 1)
    of_a_row = rate * (1 - rate)
    squares = float((count * (left / count - rate) ** 2).sum())
    weight = float(rows - (count**2).sum() / rows)
    between = (squares - (len(count) - 1) * of_a_row) / weight if weight > 0 else 0.0
    return float(np.clip(of_a_row / between - 1, _FEWEST_PRIOR_ROWS, _MOST_PRIOR_ROWS)) if between > 0 else _MOST_PRIOR_ROWS


def differ_little(count: Counts, left: Counts) -> bool:
    """Whether the rates of the levels differ so little beyond chance that a level with few rows says next to nothing."""
    return prior_rows(count, left) > _PRIOR_ROWS_OF_WEAK_LEVELS
