"""Keeps stored predictions in agreement with what is known of their customers.

A prediction may stay only while its customer does, and says whether that customer is known to have left. The two are in different tables
and are written one after the other, by requests and runs that know nothing of each other. They end in agreement by one rule: whoever
writes either of them looks at both afterwards, and goes on until they agree. Whichever of the two is written last, its writer sees the
other as it will stay. Removing a customer ends with removing its prediction, which leaves nothing to agree.
"""

from collections.abc import Iterable, Mapping
from typing import Any, cast

from retainstream.engine.model.levels import index_keys
from retainstream.engine.records import Prediction
from retainstream.storage.customers import Customers
from retainstream.storage.errors import Conflict, StorageUnavailable
from retainstream.storage.predictions import Predictions

type Item = dict[str, Any]
type Known = Mapping[str, bool]
"""Customer id → whether the customer is known to have left. Who is absent is no customer."""

_ATTEMPTS = 20
PAGE = 500


def settle(customer_id: str, customers: Customers, stored: Predictions) -> tuple[Item | None, Item | None]:
    """Makes one customer's prediction agree with the customer. Returns both as they are when they do.

    Raises:
        StorageUnavailable: others changed them all the time; the same call may be made again.
    """
    for _ in range(_ATTEMPTS):
        prediction = stored.get(customer_id, consistent=True)
        customer = customers.get(customer_id, consistent=True)
        if prediction is None:
            return customer, None
        if customer is None:
            stored.delete(customer_id)
            return None, None
        left = customer.get("churned") is True
        if prediction["churned"] is left:
            return customer, prediction
        try:
            if left:
                stored.set_churned(customer_id)
            else:
                stored.set_present(prediction, index_keys(cast("Prediction", prediction), customer_id, prediction["group"]))
        except Conflict:  # it was removed or scored anew meanwhile
            continue
    raise StorageUnavailable("a customer and its prediction are changed all the time")


def settle_written(written: Known, customers: Customers, stored: Predictions, seen: Known | None = None) -> int:
    """Makes predictions agree with their customers, given what the predictions say. Returns how many did not.

    `seen` is what a look at the customers after the predictions were written has shown already; of the others the customers table is asked.
    """
    seen = seen or {}
    unsure = [customer_id for customer_id, left in written.items() if seen.get(customer_id) is not left]
    known = customers.left(unsure)
    changed = [customer_id for customer_id in unsure if known.get(customer_id) is not written[customer_id]]
    for customer_id in changed:
        settle(customer_id, customers, stored)
    return len(changed)


def settle_page(
    run_id: str, customers: Customers, stored: Predictions, start: Mapping[str, Any] | None, *, segment: int, segments: int
) -> tuple[int, Item | None]:
    """Looks through a page of the predictions that a run has not written: of those who left, were removed, or cannot be scored.

    Repairs what an interrupted request, or a process that died between two writes, has left. Returns how many were repaired, and where the
    next page starts.
    """
    attributes = ("customer_id", "churned", "run_id")
    page = stored.page(PAGE, dict(start) if start else None, segment=segment, segments=segments, attributes=attributes)
    return settle_written(_says(item for item in page.items if item["run_id"] != run_id), customers, stored), page.next_key


def _says(predictions: Iterable[Mapping[str, Any]]) -> Known:
    return {prediction["customer_id"]: prediction["churned"] for prediction in predictions}
