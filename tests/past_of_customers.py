"""Generated customers with a history, as an import of their features of the past would leave it."""

from collections.abc import Iterable

from retainstream.engine.learning.synthetic import as_history
from retainstream.engine.records import Customer
from retainstream.runs.history.keep import keep_arrivals
from retainstream.storage.stores import Stores


def store_with_history(customers: Iterable[Customer]) -> None:
    """Stores customers, and the features of those with a known outcome in the history."""
    stores, listed = Stores(), list(customers)
    stores.customers.put_many(listed)
    stores.arrivals.put("past", "0", as_history(listed))
    keep_arrivals(stores, {"run_id": "past"}, lambda: 1e9)
