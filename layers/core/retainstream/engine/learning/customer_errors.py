"""Standard errors where several rows are of one customer, so that the rows are not independent."""

import numpy as np
from numpy.typing import NDArray

from retainstream.engine.learning.dataset import Keys
from retainstream.engine.learning.metrics import Floats


def customers(keys: Keys | None) -> NDArray[np.intp] | None:
    """The number of each row's customer, (n,); None where each row is a customer of its own."""
    if keys is None:
        return None
    distinct, customer_of = np.unique(keys, return_inverse=True)
    return customer_of if len(distinct) < len(keys) else None


def error_of_sum(shares: Floats, customer_of: NDArray[np.intp] | None) -> float:
    """The standard error of a sum of the rows' shares (n,), which add up to zero, with the rows of a customer taken together."""
    together = shares if customer_of is None else np.bincount(customer_of, weights=shares)
    count = len(together)
    return float(np.sqrt((together**2).sum() * count / (count - 1))) if count > 1 else 0.0


def design_effect(residuals: Floats, customer_of: NDArray[np.intp] | None) -> float:
    """Kish's (1965): the variance of a sum of residuals by customers, divided by that of independent rows; at least 1."""
    if customer_of is None or not (alone := float((residuals**2).sum())):
        return 1.0
    return max(1.0, float((np.bincount(customer_of, weights=residuals) ** 2).sum()) / alone)
