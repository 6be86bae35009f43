"""Whether an AUC is too good to be believed, or no better than chance, in words."""

from retainstream.engine.learning.bootstrap import Interval

NEARLY_PERFECT = 0.99
_TOUCHES_ONE = 0.9995


def doubts_about(auc: float, interval: Interval | None, cross_fitted: Interval | None = None) -> list[str]:
    """Sentences on what is doubtful about a ROC AUC; none if nothing is.

    Nearly perfect is an AUC above 0.99, or an interval whose upper end rounds to 1; no better than chance an interval that contains 0.5.

    Args:
        auc: on customers that the model has not learned from.
        interval: its 95% interval; None with too few churners.
        cross_fitted: that over all customers of a small table, which is narrower and is believed first.
    """
    believed = cross_fitted or interval
    measured = f"A ROC AUC of {auc:.3f}" + (f" (95% interval {interval.low:.3f} to {interval.high:.3f})" if interval else "")
    if (auc > NEARLY_PERFECT and (believed is None or believed.high > NEARLY_PERFECT)) or (believed and believed.high >= _TOUCHES_ONE):
        return [
            f"{measured} is nearly perfect, and customers are hardly ever so predictable. Look for a column that is filled in because a "
            "customer leaves, and for copies of customers, before you believe it."
        ]
    if believed is None or believed.low > 0.5:
        return []
    if believed.high < 0.5:
        return [f"{measured} is worse than chance, which ranks with 0.5."]
    where = "over all customers" if cross_fitted else "of the ROC AUC"
    return [
        f"The 95% interval {where}, {believed.low:.3f} to {believed.high:.3f}, contains 0.5: this model may rank customers no better than "
        "chance. It needs more known outcomes, or columns that say more about why customers leave."
    ]
