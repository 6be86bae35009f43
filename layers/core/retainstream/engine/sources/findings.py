"""What was noticed while sources were read, counted."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """A remark on rows of a source: a short name of its sort, the number of rows, and a sentence. `kept` is false for rows set aside."""

    source: str
    sort: str
    rows: int
    text: str
    kept: bool = False


_SET_ASIDE = {
    "no_customer": "without a customer's id, not used",
    "bad_id": "whose id is not 1 to 128 printable characters, not used",
    "no_time": "without a day, not used",
    "bad_time": "whose day cannot be read, not used",
    "bad_end": "whose end cannot be read, not used",
    "future": "later than {limit}, not used",
    "duplicate": "equal to another in customer, time, kind and amount, which counts once",
    "ends_first": "that end before they start, not used",
    "repeated": "stated again by a later row, which counts",
}
_KEPT = {
    "bad_amount": "with an amount that is no number, which counts as missing",
    "bad_price": "with a price that is no number, which counts as missing",
    "bad_value": "with a value of {column} that does not fit ({problem}), which counts as missing",
    "no_kind": "without a kind, which count only where every kind counts",
    "future_end": "that end later than {limit}, which count as not ended",
    "no_early_ends": "that begin before {day}, the first end in the files, which lack customers who left earlier; no anchor is before it",
    "overlap": "that begin before an earlier one of the customer ends, where each day counts once",
    "before_beginning": "earlier than the customer's first subscription, which features count like others",
    "without_subscription": "of customers without a subscription, from which no row is computed",
    "without_zone": "with a time but no time zone, while others have one, read as {zone}",
    "repeated_hour": "in an hour that a clock change repeats, read as the later hour",
}
_NOUNS = {"events": "events", "subscriptions": "subscriptions", "profile": "rows of the profile"}


def finding(source: str, sort: str, rows: int, **words: str) -> Finding:
    """The finding of a sort, in a sentence.

    Raises:
        KeyError: there is no such sort.
    """
    kept = sort in _KEPT
    sentence = (_KEPT if kept else _SET_ASIDE)[sort].format(**words)
    return Finding(source, sort, rows, f"{_NOUNS[source]} {sentence}: {rows:,}", kept=kept)
