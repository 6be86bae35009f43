"""A page of rows on its way into the customers table, beside whoever else writes there."""

from collections import Counter
from collections.abc import Iterable, Sequence

from retainstream.engine.records import Customer, NewCustomer, PreviousPrediction
from retainstream.predictions.agreement import settle_written
from retainstream.runs.imports.merge import Import, change_of, fate_of, may_judge, written_before
from retainstream.storage.errors import StorageUnavailable
from retainstream.storage.stores import Stores

_ATTEMPTS = 20


def store_page(stores: Stores, items: Sequence[NewCustomer], by: Import) -> Counter[str]:
    """Writes what is new of some customers, whose ids must not repeat. Returns how many were created, changed, unchanged, and older.

    A row that somebody else changed since it was read is read and judged again. A customer who was removed after the moment that the rows
    describe stays removed, and so does one who was removed since the row was read.

    Raises:
        StorageUnavailable: storage did not answer, or others changed the same rows all the time; the page may be stored again.
    """
    waiting = {item["customer_id"]: item for item in items}
    counts = Counter[str]()
    touched: list[str] = []
    created: list[str] = []
    there: set[str] = set()
    for _ in range(_ATTEMPTS):
        if not waiting:
            break
        found = stores.arriving.read(waiting)
        for customer_id in there - found.keys():
            del waiting[customer_id]
            counts["older"] += 1
        for customer_id in stores.removals.since(by.as_of, waiting.keys() - found.keys()):
            del waiting[customer_id]
            counts["older"] += 1
        there |= found.keys()
        evidence = _evidence(stores, waiting.values(), found, by)
        due: list[NewCustomer] = []
        for customer_id, item in list(waiting.items()):
            before = written_before(found.get(customer_id), by)
            fate = before or fate_of(found.get(customer_id), item, by, evidence.get(customer_id))
            if fate in ("created", "changed") and not before:
                due.append(item)
                continue
            counts[fate] += 1
            del waiting[customer_id]
            if before:
                touched.append(customer_id)
            if before == "created":
                created.append(customer_id)
        changes = [change_of(found.get(item["customer_id"]), item, by, evidence.get(item["customer_id"])) for item in due]
        for item, change, written in zip(due, changes, stores.arriving.write(changes), strict=True):
            if written:
                del waiting[item["customer_id"]]
                counts["created" if change.stored is None else "changed"] += 1
                if change.stored is None:
                    created.append(item["customer_id"])
                if change.stored is None or "churned" in change.set:
                    touched.append(item["customer_id"])
        there &= waiting.keys()
    if waiting:
        raise StorageUnavailable("the same customers are changed all the time")
    for customer_id in stores.removals.since(by.as_of, created):  # while the row was being written
        stores.customers.take_back(customer_id, f"{by.id}#created")
        counts.update(created=-1, older=1)
    if touched:
        settle_written(stores.predictions.known_to_have_left(touched), stores.customers, stores.predictions)
    return counts


def _evidence(stores: Stores, items: Iterable[NewCustomer], found: dict[str, Customer], by: Import) -> dict[str, PreviousPrediction]:
    """What there is, of predictions and those before them, that the outcomes in the rows may judge."""
    told = [item["customer_id"] for item in items if item["customer_id"] in found and may_judge(found[item["customer_id"]], item, by)]
    return stores.predictions.earlier(told) if told else {}
