"""The removed customers among those of a file."""

from collections.abc import Mapping

from retainstream.engine.history.parquet import RemovedAmong
from retainstream.storage.removals import Removals


def removed_among(removals: Removals, *, since: str = "") -> RemovedAmong | None:
    """Tells removed customers by their marks, of removals after the moment `since`; None where there are none."""
    marks = {mark: moment for mark, moment in removals.marks().items() if moment > since}
    if not marks:
        return None

    def among(customer_ids: list[str]) -> Mapping[str, str]:
        marked = ((customer_id, removals.mark_of(customer_id)) for customer_id in customer_ids)
        return {customer_id: marks[mark] for customer_id, mark in marked if mark in marks}

    return among
