"""The card's plots of the model's performance: ROC, precision–recall, reliability, gain, profit."""

import math
from itertools import pairwise

from markupsafe import Markup

from retainstream.engine.learning.card.document import Card
from retainstream.engine.learning.card.drawing import (
    Axis,
    Entry,
    Plot,
    dot,
    line,
    log_share_axis,
    percent_axis,
    rectangle,
    round_axis,
    share_axis,
    text,
)
from retainstream.engine.learning.card.figures import Profit
from retainstream.engine.learning.card.numbers import count, factor_with_interval, money, probability, share, short_count, with_interval

_COUNTS_HEIGHT = 74.0
_ROOM_FOR_A_COUNT = 18.0
_MOST_NAMES = 6


def roc(card: Card) -> Markup:
    """True positive rate against false positive rate."""
    area = card.figure("roc_auc")
    plot = Plot(
        share_axis("False positive rate"),
        share_axis("True positive rate"),
        (
            Entry("model", f"This model, area {probability(area.value)}"),
            Entry("baseline", f"Linear model, area {probability(area.baseline)}"),
            Entry("chance", "At random"),
        ),
    )
    plot.curve([(0, 0), (1, 1)], "chance")
    for curves, look in ((card.baseline, "baseline"), (card.model, "model")):
        plot.curve(zip(curves.roc.false_positive_rate, curves.roc.true_positive_rate, strict=True), look)
    return plot.drawn(
        "roc",
        "ROC curve",
        f"Share of churners who are called, against the share of stayers who are called, at every threshold, for "
        f"{count(card.data.rows['test'])} held-out customers. The area under the curve is {probability(area.value)} for this model and "
        f"{probability(area.baseline)} for the linear model.",
    )


def precision_recall(card: Card) -> Markup:
    """Precision against recall."""
    area, rate = card.figure("pr_auc"), _test_churn_rate(card)
    plot = Plot(
        share_axis("Recall"),
        share_axis("Precision"),
        (
            Entry("model", f"This model, average precision {probability(area.value)}"),
            Entry("baseline", f"Linear model, average precision {probability(area.baseline)}"),
            Entry("chance", f"At random: {share(rate)} left"),
        ),
    )
    plot.curve([(0, rate), (1, rate)], "chance")
    for curves, look in ((card.baseline, "baseline"), (card.model, "model")):
        points = list(zip(curves.precision_recall.recall, curves.precision_recall.precision, strict=True))
        corners = [points[0]] + [corner for before, after in pairwise(points) for corner in ((after[0], before[1]), after)]
        plot.curve(corners[:-1] if points[-1][0] == 0 else corners, look)
    return plot.drawn(
        "precision-recall",
        "Precision–recall curve",
        f"Share of called customers who left, against the share of churners who are called, at every threshold. Average "
        f"precision is {probability(area.value)} for this model and {probability(area.baseline)} for the linear model; calling "
        f"customers at random gives {share(rate)}.",
    )


def reliability(card: Card) -> Markup:
    """Churn rate against probability, with the number of customers in each bin below. Logarithmic where churn is rare."""
    least = _least_shown(card) if card.reliability_scale == "log" else None
    plot = Plot(
        _probability_axis(least, "Predicted probability"),
        _probability_axis(least, "Churn rate"),
        (
            Entry("model", "Churn rate with its interval", "dot"),
            *([Entry("thin", "Without bins (CORP)")] if card.corp else []),
            Entry("chance", "Perfectly calibrated"),
        ),
        below=_COUNTS_HEIGHT,
    )
    plot.curve([(plot.x.low, plot.y.low), (1, 1)], "chance")
    if card.corp:
        plot.curve(zip(card.corp.probability, card.corp.churn_rate, strict=True), "thin")
    most = max((point.rows for point in card.reliability), default=1)
    floor = plot.height - 4
    plot.add(text(plot.left, plot.bottom + 58, "Customers in each bin", "label"))
    for point in card.reliability:
        low, high = plot.at(point.mean_probability, point.low), plot.at(point.mean_probability, point.high)
        plot.add(line(low, high, "whisker"), dot(plot.at(point.mean_probability, point.churn_rate), "model"))
        left, right = plot.at(point.start, plot.y.low)[0], plot.at(point.end, plot.y.low)[0]
        tall = 32.0 * point.rows / most
        plot.add(rectangle(left + 0.5, floor - tall, max(1.0, right - left - 1), tall, "bar"))
        if right - left > _ROOM_FOR_A_COUNT:
            plot.add(text((left + right) / 2, floor - tall - 3, short_count(point.rows), "small", anchor="middle"))
    ratio = card.figure("observed_to_expected") if card.calibration else None
    said = f" Observed to expected is {factor_with_interval(ratio.value, ratio.low, ratio.high)}." if ratio else ""
    return plot.drawn(
        "reliability",
        "Reliability",
        "Churn rate of the held-out customers in bins of about equal size, lowest probabilities first. "
        f"On the diagonal probabilities equal churn rates.{said}",
    )


def _probability_axis(least: float | None, name: str) -> Axis:
    return share_axis(name) if least is None else log_share_axis(least, name)


def _least_shown(card: Card) -> float:
    """The lowest probability or churn rate of a bin, and not zero."""
    return min(value for point in card.reliability for value in (point.mean_probability, point.churn_rate, point.low) if value > 0)


def gain(card: Card) -> Markup:
    """Share of all churners among the riskiest customers."""
    plot = Plot(
        percent_axis("Riskiest customers"),
        percent_axis("Share of all churners"),
        (Entry("model", "This model"), Entry("baseline", "Linear model"), Entry("chance", "At random")),
    )
    plot.curve([(0, 0), (1, 1)], "chance")
    for curves, look in ((card.baseline, "baseline"), (card.model, "model")):
        plot.curve([(0, 0), *((point.share, point.found) for point in curves.gain)], look)
    fifth = min(card.model.gain, key=lambda point: abs(point.share - 0.2))
    plot.add(dot(plot.at(fifth.share, fifth.found), "model"))
    x, y = plot.at(fifth.share, fifth.found)
    plot.add(text(x + 10, y + 16, f"{share(fifth.share)} include {share(fifth.found)}", "label"))
    return plot.drawn(
        "gain",
        "Cumulative gain",
        f"Share of all churners among the riskiest customers. The riskiest {share(fifth.share)} of the customers include "
        f"{share(fifth.found)} of all churners.",
    )


def profit(card: Card, curve: Profit) -> Markup:
    """Profit per customer against the threshold, with marks at the stored and the best threshold."""
    legend = [
        Entry(f"mark-{mark.name}", f"{mark.label} {probability(mark.threshold)}: {money(mark.profit, curve.currency)}")
        for mark in curve.marks
    ]
    plot = Plot(
        share_axis("Offer to customers at or above this probability"),
        round_axis((point.profit for point in curve.points), f"{curve.currency} per customer"),
        (Entry("model", "Expected profit per held-out customer"), *legend),
    )
    plot.curve([(0, 0), (1, 0)], "axis")
    for mark in curve.marks:
        plot.curve([(mark.threshold, plot.y.low), (mark.threshold, plot.y.high)], f"mark-{mark.name}")
    plot.curve([(point.threshold, point.profit) for point in curve.points], "model")
    marks = "; ".join(f"{mark.label.lower()} {probability(mark.threshold)}: {money(mark.profit, curve.currency)}" for mark in curve.marks)
    return plot.drawn(
        "profit",
        "Expected profit",
        f"Profit per held-out customer of {card.schema_title} if every customer at or above a probability had received an offer. {marks}.",
    )


def by_period(card: Card) -> Markup:
    """ROC AUC of each period with its interval."""
    judged = [point for point in card.evaluation.by_period if point.roc_auc is not None]
    names = [point.period for point in judged]
    lowest = min((point.low if point.low is not None else point.roc_auc or 0.0) for point in judged)
    first = min(0.5, math.floor(lowest * 10) / 10)
    steps = round((1 - first) * 10)
    every = math.ceil(len(names) / _MOST_NAMES)
    plot = Plot(
        Axis(-0.5, len(names) - 0.5, tuple(range(len(names) - 1, -1, -every)), lambda tick: names[int(tick)], "Period"),
        Axis(first, 1.0, tuple(round(first + step / 10, 1) for step in range(steps + 1)), lambda tick: f"{tick:.1f}", "ROC AUC"),
        (Entry("model", "ROC AUC with its interval", "dot"), Entry("chance", "At random")),
        size=200.0,
    )
    plot.curve([(-0.5, 0.5), (len(names) - 0.5, 0.5)], "chance")
    for place, point in enumerate(judged):
        if point.low is not None and point.high is not None:
            plot.add(line(plot.at(place, point.low), plot.at(place, point.high), "whisker"))
        plot.add(dot(plot.at(place, point.roc_auc or 0.0), "model"))
    newest = judged[-1]
    return plot.drawn(
        "by-period",
        "ROC AUC by period",
        f"ROC AUC of each period, by a model that learned before it. In {newest.period} it is "
        f"{with_interval(newest.roc_auc, newest.low, newest.high)}.",
    )


def _test_churn_rate(card: Card) -> float:
    rows = sum(point.rows for point in card.reliability)
    return sum(point.rows * point.churn_rate for point in card.reliability) / max(1, rows)
