"""Keeps stored predictions consistent with their customers.

A prediction exists only while its customer does, and says whether the customer is known to have left. The two are in different tables, and
requests and runs that do not know each other write them one after the other. One rule makes them consistent: whoever writes one of them
reads both afterwards, and repeats until they agree. The writer that finishes last sees the other item in its final state. The removal of a
customer ends with the removal of the prediction.
"""

from collections.abc import Iterable, Mapping

from retainstream.engine.lives import churned_of
from retainstream.engine.model.levels import index_keys
from retainstream.engine.records import Customer, Prediction
from retainstream.storage.customers import Customers
from retainstream.storage.errors import Conflict, StorageUnavailable
from retainstream.storage.predictions import Predictions
from retainstream.storage.retry import attempts
from retainstream.storage.table import Key

type Known = Mapping[str, bool]
"""Customer id → whether the customer is known to have left. An absent id is not a customer."""

_ATTEMPTS = 20
PAGE = 500


def settle(customer_id: str, customers: Customers, stored: Predictions) -> tuple[Customer | None, Prediction | None]:
    """Makes one customer's prediction consistent with the customer. Returns both in their consistent state.

    Raises:
        StorageUnavailable: other writers changed them every time. The same call may be made again.
    """
    for _ in attempts(_ATTEMPTS):
        prediction = stored.get(customer_id, consistent=True)
        customer = customers.get(customer_id, consistent=True)
        if prediction is None:
            return customer, None
        if customer is None:
            stored.delete(customer_id)
            return None, None
        left = churned_of(customer["life"]) is True
        if prediction["churned"] is left:
            return customer, prediction
        try:
            if left:
                stored.set_churned(customer_id)
            else:
                stored.set_present(prediction, index_keys(prediction, customer_id, prediction["group"]))
        except Conflict:  # it was removed, or the customer was scored again
            continue
    raise StorageUnavailable("a customer and its prediction keep changing")


def settle_written(written: Known, customers: Customers, stored: Predictions, seen: Known | None = None) -> int:
    """Makes the predictions that say `written` consistent with their customers. Returns the number of those that were not.

    `seen` holds customers that were read after the predictions were written; the others are read from the customers table.
    """
    seen = seen or {}
    unsure = [customer_id for customer_id, left in written.items() if seen.get(customer_id) is not left]
    known = customers.left(unsure)
    changed = [customer_id for customer_id in unsure if known.get(customer_id) is not written[customer_id]]
    for customer_id in changed:
        settle(customer_id, customers, stored)
    return len(changed)


def settle_page(
    run_id: str, customers: Customers, stored: Predictions, start: Key | None, *, segment: int, segments: int
) -> tuple[int, Key | None]:
    """Checks a page of the predictions that a run has not written: of customers who left, were removed, or cannot be scored.

    Repairs those that an interrupted request or process left inconsistent. Returns the number repaired, and the start of the next page.
    """
    attributes = ("customer_id", "churned", "run_id")
    page = stored.page(PAGE, start or None, segment=segment, segments=segments, attributes=attributes)
    return settle_written(_says(item for item in page.items if item["run_id"] != run_id), customers, stored), page.next_key


def _says(predictions: Iterable[Prediction]) -> Known:
    return {prediction["customer_id"]: prediction["churned"] for prediction in predictions}
