"""What a process that answers with a model takes into Lambda's snapshot of it, and what it lets go of once restored.

Lambda calls these hooks for functions with SnapStart; anywhere else they are registered and never called.
"""

import logging
import random

from snapshot_restore_py import register_after_restore, register_before_snapshot

from retainstream.registry.active_schema import forget_active_schema
from retainstream.registry.errors import CorruptModel, NoModel
from retainstream.registry.loading import champion_model, doubt_champion
from retainstream.storage.clients import drop_connections
from retainstream.storage.errors import StorageUnavailable
from retainstream.storage.stores import Stores

_log = logging.getLogger(__name__)


def keep_model_in_snapshots(stores: Stores) -> None:
    """Has the champion loaded before a snapshot is taken, and looked for anew after it is restored."""
    register_before_snapshot(prime, stores)
    register_after_restore(renew)


def prime(stores: Stores) -> None:
    """Loads the champion and scores a customer of whom nothing is known. Where that cannot be done the snapshot has the libraries alone:
    a deployment must not fail because there is no model yet."""
    from retainstream.engine.model.encoding import encode
    from retainstream.engine.model.model import ScoringModel
    from retainstream.engine.model.predictions import scores

    try:
        model: ScoringModel = champion_model(stores.models, stores.documents, 0)
    except (NoModel, CorruptModel, StorageUnavailable) as error:
        _log.warning("snapshot without a model: %s", error)
    else:
        scores(model, [{}])
        model.contributions.prepare(encode(model.schema, [{}]))


def renew() -> None:
    """Connections, chance and what was read of the present state are the snapshot's: every restored process gets its own. The loaded model
    stays until the pointer, which the next request reads, says that another is in service."""
    drop_connections()
    random.seed()
    forget_active_schema()
    doubt_champion()
