"""What a version is meant for and where it ends, in sentences about this very version."""

from retainstream.engine.learning.card.document import Card
from retainstream.engine.learning.card.numbers import count, probability, share

FEW_ROWS = 200
"""Held-out customers of a group below which its figures are called uncertain."""


def intended_use(card: Card) -> list[str]:
    """What the version is for."""
    sentences = [
        f"It estimates for each customer of “{card.schema_title}” the chance to leave within {card.horizon_days} days, "
        "and names the columns that raised or lowered that chance.",
        "It is meant for choosing whom a retention team contacts first, and with which offer. A person decides.",
    ]
    precision, recall = card.figure("precision").value, card.figure("recall").value
    if precision and recall:
        sentences.append(
            f"Of the customers at or above the stored threshold of {probability(card.threshold)}, {share(precision)} left; "
            f"they were {share(recall)} of all who left. The others on the list would have stayed without an offer."
        )
    return sentences


def limits(card: Card) -> list[str]:
    """What it should not be taken for, the general before what is peculiar to this version."""
    return [
        f"It knows what {count(card.data.rows['train'])} customers did until it was made. Customers unlike them are scored too, "
        "with no better ground than a guess; the table of columns tells who they were.",
        f"Its probabilities are right on average where about {share(card.data.churn_rate)} leave, as here. "
        "When the business changes they drift until it is trained again.",
        "Reasons say what the model leans on. They are not causes: changing a value need not change what the customer does.",
        "It is not made for refusing people service, credit or a price, nor for any decision the law reserves to other grounds.",
        *_peculiar(card),
    ]


def _peculiar(card: Card) -> list[str]:
    sentences = []
    if card.synthetic:
        meaning = "say nothing about real customers" if card.data.synthetic_share == 1 else "are only partly about real customers"
        sentences.append(
            f"{share(card.data.synthetic_share)} of the customers with a known outcome are synthetic: they come from a generator. "
            f"These figures {meaning}."
        )
    few = [group for group in card.groups if group.rows < FEW_ROWS]
    if few and len(card.groups) > 1:
        names = ", ".join(f"{group.group} ({count(group.rows)})" for group in few)
        sentences.append(f"The figures of these groups rest on few held-out customers: {names}.")
    silent = [column for column in card.columns if column.missing_share is not None and column.missing_share > 0.5]
    if silent:
        names = ", ".join(f"{column.label} ({share(column.missing_share or 0)})" for column in silent)
        sentences.append(f"More than half of the customers lack a value here: {names}.")
    if card.choice.stopped_by_clock:
        sentences.append("The search was stopped by the clock: another run on a faster machine may choose another model.")
    return [*sentences, *(f"{finding.detail}" for finding in card.findings)]
