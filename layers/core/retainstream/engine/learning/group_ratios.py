"""Observed to expected churners of each group, shrunk towards those of all customers."""

from collections.abc import Mapping

import numpy as np

from retainstream.engine.learning.calibration_check import Estimate

_SPREADS = np.array([0.1, 0.15, 0.25, 0.4, 0.6])
"""Standard deviations of the groups' ratios around the common one, as shares of it."""

_RATIOS = np.geomspace(0.02, 50.0, 2_001)


def shrunk(counts: Mapping[str, tuple[float, float]]) -> dict[str, Estimate]:
    """For each group with its observed and expected churners, its ratio with a 95% interval.

    Empirical Bayes as in Clayton and Kaldor (Biometrics 43, 1987): the churners of a group are Poisson with mean ratio × expected, and the
    ratios of the groups are gamma around that of all customers. The size of their spread is not known; several are averaged by their
    likelihood. So a group with few churners has nearly the ratio of all, and a group with many its own.
    """
    from scipy.special import gammaln

    observed = np.array([group[0] for group in counts.values()])
    expected = np.maximum([group[1] for group in counts.values()], 1e-9)
    common = max(observed.sum(), 0.5) / expected.sum()
    shapes = 1 / _SPREADS[:, None] ** 2
    rates = shapes / common
    likelihoods = (
        gammaln(observed + shapes)
        - gammaln(shapes)
        + shapes * np.log(rates / (rates + expected))
        + observed * np.log(expected / (rates + expected))
    ).sum(axis=1)
    weights = np.exp(likelihoods - likelihoods.max())
    weights /= weights.sum()
    estimates = {}
    for place, name in enumerate(counts):
        shape, rate = observed[place] + shapes[:, 0], expected[place] + rates[:, 0]
        densities = np.exp(
            shape[:, None] * np.log(rate)[:, None] + shape[:, None] * np.log(_RATIOS) - rate[:, None] * _RATIOS - gammaln(shape)[:, None]
        )
        running = np.cumsum(weights @ densities)
        low, high = np.interp([0.025, 0.975], running / running[-1], _RATIOS)
        estimates[name] = Estimate(float(weights @ (shape / rate)), float(low), float(high))
    return estimates
