"""The keys of a delivery in the bucket, and its errors in words."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from retainstream.storage.errors import NotStored, StorageUnavailable
from retainstream.storage.stores import Stores
from retainstream.storage.uploads import ChangedFile

UPLOADS = "deliveries/uploads/"
"""Every upload lies below this prefix, under the id of its delivery; its arrival starts the run."""
ARRIVING = "deliveries/arriving/"
"""The business itself puts files below this prefix, in a folder for each kind of source; the arrival of a file is a delivery."""


class DeliveryFailed(Exception):
    """The file cannot be added to the sources; the message is a sentence for the person who delivered it."""


def upload_key(delivery_id: str) -> str:
    return f"{UPLOADS}{delivery_id}"


def work_key(delivery_id: str, name: str) -> str:
    return f"deliveries/work/{delivery_id}/{name}"


def put_document(stores: Stores, delivery_id: str, name: str, document: object) -> None:
    stores.documents.put_bytes(work_key(delivery_id, name), json.dumps(document, separators=(",", ":")).encode(), "application/json")


def get_document(stores: Stores, delivery_id: str, name: str) -> Any:
    """A document that an earlier task left.

    Raises:
        NotStored: no task has left it.
    """
    return json.loads(stores.documents.get_bytes(work_key(delivery_id, name)))


@contextmanager
def errors_in_words() -> Iterator[None]:
    """Errors in words for the person who delivered the file.

    Raises:
        StorageUnavailable: storage did not answer; the task may be tried again.
        DeliveryFailed: the file was replaced, or it is gone.
    """
    try:
        yield
    except ChangedFile as error:
        raise DeliveryFailed("The file was replaced while it was read. Deliver it again.") from error
    except NotStored as error:
        raise DeliveryFailed("The file, or the work of an earlier step, is no longer in the bucket. Deliver it again.") from error
    except StorageUnavailable as error:
        raise StorageUnavailable(f"storage did not answer, even after several tries ({error})") from error
