"""Scores and predictions as they are stored and shown, for one customer, a hundred, or a block of the base."""

from collections.abc import Mapping, Sequence

import numpy as np

from retainstream.engine.lives import churned_of, day_number
from retainstream.engine.model.actions import best_actions, prices
from retainstream.engine.model.calibration import Floats
from retainstream.engine.model.encoding import encode
from retainstream.engine.model.levels import IndexKeys, index_keys, level_of
from retainstream.engine.model.model import ScoringModel
from retainstream.engine.model.money import value_at_risk
from retainstream.engine.model.past import described_day, described_on, past_of
from retainstream.engine.model.reasons import reasons_of, strongest
from retainstream.engine.records import Customer, Features, Prediction, PreviousPrediction, ProbabilityInterval, Score, Value


def scores(model: ScoringModel, customers: Sequence[Features], days: Sequence[int] | None = None) -> list[Score]:
    """The scores of customers, in the same order, by their features and the days that these describe (see `encoding.encode`).

    Probabilities and their intervals have six decimals, and the level is that of the rounded probability. Contributions have six decimals
    too, so that they add up to margin − base_margin within half a millionth per column.

    Raises:
        ValueError, TypeError: a value of a number is not a number, a text is no date, or dates lack the days.
    """
    rows: list[dict[str, Value | None]] = [dict(features) for features in customers]
    if not rows:
        return []
    schema = model.schema
    explained = model.explain(encode(schema, rows, days))
    probability = explained.probability.round(6)
    price = prices(schema, rows)
    money = schema.money
    value = value_at_risk(money, probability, price, horizon_days=schema.horizon_days).round(2) if money else np.zeros(len(rows))
    names = [column.name for column in model.inputs.explained]
    top = strongest(explained)
    base_probability, base_margin = round(explained.base_probability, 6), round(explained.base_margin, 6)
    per_customer = zip(
        rows,
        probability.tolist(),
        _intervals(model, explained.margin, probability),
        explained.margin.round(6).tolist(),
        explained.contributions.round(6).tolist(),
        top.columns.tolist(),
        top.contributions.tolist(),
        top.points.tolist(),
        best_actions(model.inputs, explained.contributions, probability, price),
        price.tolist(),
        value.tolist(),
        [None] * len(rows) if days is None else days,
        strict=True,
    )
    return [
        {
            "base_probability": base_probability,
            "average_probability": model.average_probability,
            "base_margin": base_margin,
            "probability": chance,
            "margin": margin,
            "level": level_of(chance, model.levels),
            "interval": interval,
            "confidence": round(1 - (interval["high"] - interval["low"]), 6) if interval else 0.0,
            "price": None if np.isnan(paid) else paid,
            "value_at_risk": at_stake,
            "contributions": dict(zip(names, amounts, strict=True)),
            "reasons": reasons_of(model.inputs, features, columns, strengths, points, day),
            "action": action,
            "features": features,
            "model_version": model.version,
        }
        for features, chance, interval, margin, amounts, columns, strengths, points, action, paid, at_stake, day in per_customer
    ]


def _intervals(model: ScoringModel, margins: Floats, probabilities: Floats) -> list[ProbabilityInterval | None]:
    if not model.intervals:
        return [None] * len(margins)
    low, high = model.intervals.around(margins, probabilities)
    return [{"low": lowest, "high": highest} for lowest, highest in zip(low.round(6).tolist(), high.round(6).tolist(), strict=True)]


def predictions(
    model: ScoringModel, customers: Sequence[Customer], previous: Mapping[str, PreviousPrediction], *, run_id: str, scored_at: str
) -> list[Prediction]:
    """The predictions to store for customers, in the same order. `previous` are their previous predictions, by customer id."""
    days = [day_number(described_day(customer, scored_at)) for customer in customers]
    scored = scores(model, [customer["features"] for customer in customers], days)
    return [
        _prediction(customer, score, previous.get(customer["customer_id"]), run_id, scored_at, model.chosen_at)
        for customer, score in zip(customers, scored, strict=True)
    ]


def _prediction(
    customer: Customer, score: Score, previous: PreviousPrediction | None, run_id: str, scored_at: str, chosen_at: str
) -> Prediction:
    churned = churned_of(customer["life"]) is True
    keys: IndexKeys = {} if churned else index_keys(score, customer["customer_id"], customer["group"])
    return {
        **score,
        "customer_id": customer["customer_id"],
        "group": customer["group"],
        "churned": churned,
        "model_chosen_at": chosen_at,
        "run_id": run_id,
        "scored_at": scored_at,
        **past_of(run_id, score["probability"], previous),
        **described_on(described_day(customer, scored_at), scored_at),
        **keys,
    }
