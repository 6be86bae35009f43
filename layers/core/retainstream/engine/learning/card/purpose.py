"""Intended use and limits of a version, in sentences about this version."""

from retainstream.engine.learning.card.document import Card
from retainstream.engine.learning.card.numbers import count, probability, share


def intended_use(card: Card) -> list[str]:
    """Sentences on what the version is for."""
    sentences = [
        f"It estimates the probability that a customer of “{card.schema_title}” leaves within {card.horizon_days} days, "
        "and names the columns that raised or lowered that probability.",
        "It helps a retention team to choose which customers to contact first, and with which offer. A person decides.",
    ]
    precision, recall = card.figure("precision").value, card.figure("recall").value
    if precision and recall:
        sentences.append(
            f"Of the customers at or above the stored threshold of {probability(card.threshold)}, {share(precision)} left; "
            f"they were {share(recall)} of all churners. The other customers on the list would have stayed without an offer."
        )
    return sentences


def limits(card: Card) -> list[str]:
    """Sentences on the limits of the version: general ones first, then those of this version alone."""
    return [
        f"It has learned from {count(card.data.rows['train'])} {_of_periods(card)}. For customers unlike them its scores are guesses; "
        "the table of columns describes the customers it knows.",
        f"Its probabilities are right on average while about {share(card.data.churn_rate)} of the customers leave, as in its data. "
        "When the business changes, they are off until the model is trained again.",
        "Reasons describe the model, not causes: changing a value does not necessarily change what the customer does.",
        "Do not use it to refuse service, credit or a price, or for decisions that the law ties to other grounds.",
        *_peculiar(card),
    ]


def _of_periods(card: Card) -> str:
    periods = card.evaluation.periods
    if periods is None:
        return "customers"
    return f"rows of customers in {periods.first}" + (f" to {periods.last}" if periods.last != periods.first else "")


def _moments(card: Card) -> list[str]:
    """Sentences on what nobody has checked about the moments of the rows, and on what the figures cannot show."""
    sentences, total = [], sum(card.data.moments.values())
    for known, words in (("stated", "are as stated, not checked"), ("assumed", "are assumed, not stated by anybody")):
        if rows := card.data.moments.get(known):
            of_rows = "all rows" if rows == total else f"{count(rows)} of {count(total)} rows"
            sentences.append(
                f"The moments of {of_rows} {words}: features of one day, outcomes of the {card.horizon_days} days after it. "
                "If the features are of a later day, the figures are far too good."
            )
    if card.evaluation.by == "customers":
        sentences.append(
            "Its figures are about customers who were kept apart, not about a later time: there are fewer than three periods to judge by. "
            "Figures by time are often lower."
        )
    return sentences


def _peculiar(card: Card) -> list[str]:
    sentences = _moments(card)
    if card.synthetic:
        meaning = "say nothing about real customers" if card.data.synthetic_share == 1 else "are only partly about real customers"
        sentences.append(
            f"{share(card.data.synthetic_share)} of the customers with a known outcome are synthetic: a generator made them. "
            f"These figures {meaning}."
        )
    few = [group for group in card.groups if group.few]
    if few and len(card.groups) > 1:
        names = ", ".join(f"{group.group} ({count(group.churned)})" for group in few)
        sentences.append(f"These groups have too few held-out churners to judge them: {names}.")
    sparse = [column for column in card.columns if column.missing_share is not None and column.missing_share > 0.5]
    if sparse:
        names = ", ".join(f"{column.label} ({share(column.missing_share or 0)})" for column in sparse)
        sentences.append(f"More than half of the customers have no value in these columns: {names}.")
    if card.choice.stopped_by_clock:
        sentences.append("The time limit stopped the search: another run on a faster machine may choose another model.")
    return [*sentences, *(finding.detail for finding in card.findings)]
