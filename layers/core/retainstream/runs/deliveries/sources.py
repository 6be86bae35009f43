"""The sources for people."""

from retainstream.engine.schema import FeatureSchema
from retainstream.runs.deliveries.view import SourceView, source_view
from retainstream.storage.sources import KINDS
from retainstream.storage.stores import Stores


def sources(stores: Stores, schema: FeatureSchema) -> list[SourceView]:
    """All kinds of sources, whether or not anything was delivered."""
    expected = {kind for kind in KINDS if schema.sources and getattr(schema.sources, kind)}
    return [source_view(kind, stores.sources.index(kind), expected=kind in expected) for kind in KINDS]
