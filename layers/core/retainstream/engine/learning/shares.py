"""The interval of a share."""

from math import sqrt

Z = 1.959964
"""Standard deviations on either side of a 95% interval."""


def wilson(successes: float, rows: float) -> tuple[float, float]:
    """Wilson's score interval (1927) of a share, 95%."""
    share, z2 = successes / rows, Z**2
    middle = (share + z2 / (2 * rows)) / (1 + z2 / rows)
    reach = Z * sqrt(share * (1 - share) / rows + z2 / (4 * rows**2)) / (1 + z2 / rows)
    return max(0.0, middle - reach), min(1.0, middle + reach)
