"""Lambda's snapshots of functions that score: what is loaded before a snapshot, and renewed after it is restored.

Lambda calls these hooks for functions with SnapStart. Elsewhere they are registered and never called.
"""

import logging
import random

from snapshot_restore_py import register_after_restore, register_before_snapshot

from retainstream.registry.active_schema import forget_active_schema
from retainstream.registry.errors import CorruptModel, NoModel
from retainstream.registry.loading import champion_model, doubt_champion
from retainstream.storage.clients import drop_connections
from retainstream.storage.errors import RequestRefused, StorageUnavailable
from retainstream.storage.stores import Stores

_log = logging.getLogger(__name__)


def keep_model_in_snapshots(stores: Stores) -> None:
    """Loads the champion before a snapshot is taken, and checks the pointer again after it is restored."""
    register_before_snapshot(prime, stores)
    register_after_restore(renew)


def prime(stores: Stores) -> None:
    """Loads the champion and scores a customer without features. Where that fails, the snapshot holds only the libraries: a deployment
    must not fail because there is no model yet."""
    from retainstream.engine.model.encoding import encode
    from retainstream.engine.model.model import ScoringModel
    from retainstream.engine.model.predictions import scores

    try:
        model: ScoringModel = champion_model(stores.models, stores.documents, 0)
    except (NoModel, CorruptModel, RequestRefused, StorageUnavailable) as error:
        _log.warning("snapshot without a model: %s", error)
    else:
        scores(model, [{}], [0])
        model.contributions.prepare(model.inputs.rows(encode(model.schema, [{}], [0])))


def renew() -> None:
    """Gives a restored process its own connections and random numbers, and makes it read the present state again. The loaded model stays
    until the next request reads the pointer and finds another version in service."""
    drop_connections()
    random.seed()
    forget_active_schema()
    doubt_champion()
