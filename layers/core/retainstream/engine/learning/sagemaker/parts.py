"""Customers with a known outcome in parts: their number, their contents, and the sample that one function can hold.

A part is a segment of a parallel scan, small enough for any function. The customers' keys decide the sample, so that reading a part again
gives the same customers. The keys also decide which development customers are reserved for calibration and kept out of the job.
"""

import math

import numpy as np
from numpy.typing import NDArray

from retainstream.engine.learning.dataset import DataSet, Keys
from retainstream.engine.learning.split import Split

CUSTOMERS_PER_PART = 500_000
MOST_PARTS = 400
CALIBRATION_SHARE = 0.1
_FOR_THE_SAMPLE, _FOR_CALIBRATION = 0xA0761D6478BD642F, 0xE7037ED1A0B428DB


def parts_for(customers: int, row_threshold: int, instances: int) -> int:
    """The number of parts of a base; 0 if one function reads all of it. It is a multiple of `instances`, for equal shares."""
    if not row_threshold or customers < row_threshold:
        return 0
    parts = min(MOST_PARTS, math.ceil(customers / CUSTOMERS_PER_PART))
    return max(1, math.ceil(parts / instances)) * instances


def sampled(data: DataSet, share: float) -> DataSet:
    """The customers of the sample: about this share of them, all for 1."""
    return data if share >= 1 else data.where(_drawn(data.keys, _FOR_THE_SAMPLE, share))


def for_the_job(data: DataSet, split: Split) -> DataSet:
    """The rows for the training job: development rows of customers who are not reserved for calibration."""
    return data.where(split.development(data) & ~_for_calibration(data.keys))


def for_calibration(data: DataSet, split: Split) -> DataSet:
    """The development rows of the customers reserved for calibration and the threshold."""
    return data.where(split.development(data) & _for_calibration(data.keys))


def _for_calibration(keys: Keys) -> NDArray[np.bool_]:
    return _drawn(keys, _FOR_CALIBRATION, CALIBRATION_SHARE)


def _drawn(keys: Keys, purpose: int, share: float) -> NDArray[np.bool_]:
    """About this share of the keys, different keys for each purpose: splitmix64's finalizer (Steele, Lea & Flood 2014)."""
    mixed = keys ^ np.uint64(purpose)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return (mixed ^ (mixed >> np.uint64(31))).astype(np.float64) / 2.0**64 < share
