"""Predictions as they are stored and shown: one implementation for one customer, a hundred, and a block of the base."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from retainstream.engine.model.actions import best_actions, prices, value_at_risk
from retainstream.engine.model.encoding import encode
from retainstream.engine.model.levels import confidence_of, index_attributes, level_of
from retainstream.engine.model.model import ScoringModel
from retainstream.engine.model.past import with_past
from retainstream.engine.model.reasons import reasons_of, strongest

type Score = dict[str, Any]
type Prediction = dict[str, Any]


def scores(model: ScoringModel, customers: Sequence[Mapping[str, Any]]) -> list[Score]:
    """Scores of customers given by their features (column → value; a missing column is absent or None).

    A score is {probability, base_probability, margin, base_margin, level, confidence, price, value_at_risk, contributions: {column:
    log-odds}, reasons, action, features, model_version}. Probabilities have six decimals, and the level is that of the rounded
    probability; contributions have six decimals, so that they add up to margin − base_margin within half a millionth a column.

    Raises:
        ValueError, TypeError: a number is not a number.
    """
    rows = [dict(features) for features in customers]
    if not rows:
        return []
    schema = model.schema
    explained = model.explain(encode(schema, rows))
    probability = explained.probability.round(6)
    price = prices(schema, rows)
    value = value_at_risk(schema, probability, price).round(2)
    names = [column.name for column in schema.features]
    top = strongest(explained)
    base = {"base_probability": round(explained.base_probability, 6), "base_margin": round(explained.base_margin, 6)}
    per_customer = zip(
        rows,
        probability.tolist(),
        explained.margin.round(6).tolist(),
        explained.contributions.round(6).tolist(),
        top.columns.tolist(),
        top.contributions.tolist(),
        top.points.tolist(),
        best_actions(schema, explained.contributions, probability, price),
        price.tolist(),
        value.tolist(),
        strict=True,
    )
    return [
        {
            **base,
            "probability": chance,
            "margin": margin,
            "level": level_of(chance, model.threshold),
            "confidence": round(confidence_of(chance), 6),
            "price": None if np.isnan(paid) else paid,
            "value_at_risk": at_stake,
            "contributions": dict(zip(names, amounts, strict=True)),
            "reasons": reasons_of(schema, features, columns, strengths, points),
            "action": action,
            "features": features,
            "model_version": model.version,
        }
        for features, chance, margin, amounts, columns, strengths, points, action, paid, at_stake in per_customer
    ]


def predictions(
    model: ScoringModel, customers: Sequence[Mapping[str, Any]], previous: Mapping[str, Mapping[str, Any]], *, run_id: str, scored_at: str
) -> list[Prediction]:
    """The predictions to store for customers (items of the customers table), in the same order.

    Adds to the scores: customer_id, group, churned, model_chosen_at, run_id, scored_at, what is kept of the `previous` predictions (by
    customer id), and, for customers who have not left and are at least at medium risk, the index attributes.
    """
    scored = scores(model, [customer["features"] for customer in customers])
    return [
        _prediction(customer, score, previous.get(customer["customer_id"]), run_id, scored_at, model.chosen_at)
        for customer, score in zip(customers, scored, strict=True)
    ]


def _prediction(
    customer: Mapping[str, Any], score: Score, previous: Mapping[str, Any] | None, run_id: str, scored_at: str, chosen_at: str
) -> Prediction:
    prediction = {
        **score,
        "customer_id": customer["customer_id"],
        "group": customer["group"],
        "churned": customer.get("churned") is True,
        "model_chosen_at": chosen_at,
        "run_id": run_id,
        "scored_at": scored_at,
    }
    indexed = {} if prediction["churned"] else index_attributes(prediction)
    return {**prediction, **with_past(prediction, previous), **indexed}
