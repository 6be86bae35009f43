"""The days at which features are computed."""

from retainstream.engine.schema.sources import Anchors
from retainstream.engine.sources.delivered import Delivered


def anchor_days(anchors: Anchors, delivered: Delivered) -> list[int]:
    """The anchors, as days since 1970-01-01, in order, that have data before them and for which the sources are complete up to them.

    Raises:
        ValueError: a day of a list has no data before it, or the sources do not reach it.
    """
    raise NotImplementedError
