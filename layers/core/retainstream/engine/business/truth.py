"""The true churn probability of generated customers. It depends on their observed features, gaps included, and on nothing hidden.

There are two kinds of generated customers, with one order of risk. Of the customers of one moment (`engine.learning.synthetic`) about 18%
leave within 30 days, of those of the business with a past about 4%. The second probability is the first with its log-odds moved and
weakened, and with a season.
"""

import numpy as np
from numpy.typing import NDArray

from retainstream.engine.business.calendar import Days, season_of_leaving
from retainstream.engine.schema import FeatureSchema, default_schema

type Floats = NDArray[np.float64]

HORIZON = 30
USUAL_PRICE = np.array([7.99, 12.99, 18.99])
_INTERCEPT = -2.75
_LEVEL, _STRENGTH, _SEASON = -2.2, 0.7, 0.03
_LEAST = 1e-9


def true_probability(schema: FeatureSchema, rows: NDArray[np.float32], concept: float = 0.0) -> Floats:
    """The probability (n,) that a generated customer of one moment leaves, from rows encoded in the schema's feature order.

    `concept` is added to the log-odds of every customer.

    Raises:
        KeyError: the schema does not have a column of the process; see `is_generated_for`.
    """
    return _logistic(_log_odds(schema, rows) + concept)


def probability_within_horizon(schema: FeatureSchema, rows: NDArray[np.float32], anchors: Days) -> Floats:
    """The probability (n,) that a customer of the generated business leaves within the 30 days after the row's anchor, anchors (n,).

    An anchor before 1970 stands for an unknown one and has no season. The probability is exact where the anchor before was at least 30 days
    earlier; otherwise its hazard is still in force for a day or two, as `engine.business.simulation` describes.

    Raises:
        KeyError: as `true_probability`.
    """
    season = np.where(anchors < 0, 0.0, season_of_leaving(anchors))
    return _logistic(_LEVEL + _STRENGTH * _log_odds(schema, rows) + _SEASON * season)


def truth_of(schema: FeatureSchema, rows: NDArray[np.float32], anchors: Days, churned: NDArray[np.bool_]) -> Floats:
    """The true probabilities (n,) of generated customers of unknown kind: those of the kind that makes their outcomes likelier.

    Raises:
        KeyError: as `true_probability`.
    """
    kinds = (true_probability(schema, rows), probability_within_horizon(schema, rows, anchors))
    return max(kinds, key=lambda truth: _log_likelihood(churned, truth))


def is_generated_for(schema: FeatureSchema) -> bool:
    """Whether the true probabilities apply to this schema's features."""
    return [(column.name, column.levels) for column in schema.features] == [(c.name, c.levels) for c in default_schema().features]


def _log_odds(schema: FeatureSchema, rows: NDArray[np.float32]) -> Floats:
    at = {column.name: rows[:, place].astype(np.float64) for place, column in enumerate(schema.features)}
    plan = at["plan"].astype(int)
    watch, devices = at["watch_time_hours"], at["device_count"]
    unknown_watch, unknown_devices = np.isnan(watch), np.isnan(devices)

    little_watched = np.where(unknown_watch, 0.9, np.exp(-np.nan_to_num(watch) / 14.0))
    many_watched = np.where(unknown_watch, 0.5, np.log1p(np.nan_to_num(watch)) / np.log1p(60.0))
    absent = np.log1p(at["last_login_days"] / 4.0)
    failures = np.log1p(at["payment_failures"])
    new = np.exp(-at["subscription_age_months"] / 5.0)
    dear = np.maximum(at["monthly_price"] / USUAL_PRICE[plan] - 1.0, -0.2)
    log_odds: Floats = (
        _INTERCEPT
        - 0.95 * many_watched
        + 0.75 * absent
        + 1.35 * failures
        + 1.3 * new
        - 0.35 * np.log1p(at["tenure_months"] / 12.0)
        - 0.3 * np.where(unknown_devices, 0.7, np.minimum(np.nan_to_num(devices), 4.0) - 1.0)
        + np.array([0.35, 0.0, -0.25])[plan]
        + 2.5 * dear
        + 0.6 * (at["tenure_months"] > at["subscription_age_months"])
        + 0.9 * little_watched * absent
        + 4.0 * little_watched * np.maximum(dear, 0.0)
        + 0.9 * failures * new
        + 0.4 * failures * (plan == 0)
    )
    return log_odds


def _logistic(log_odds: Floats) -> Floats:
    probabilities: Floats = 1.0 / (1.0 + np.exp(-log_odds))
    return probabilities


def _log_likelihood(churned: NDArray[np.bool_], truth: Floats) -> float:
    likely = np.clip(np.where(churned, truth, 1.0 - truth), _LEAST, 1.0)
    return float(np.log(likely).sum())
