"""The rows whose outcome a model cannot have learned, on which it may be compared with another model."""

from typing import Literal, TypedDict

import numpy as np
from numpy.typing import NDArray

from retainstream.engine.learning.dataset import NO_ANCHOR, DataSet
from retainstream.engine.learning.split import held_out


class Learned(TypedDict):
    """The outcomes that a model learned from.

    customers: "development" if no customer of `split.held_out` is among them. until: the last day of their outcome windows (ISO), None
    where it is not known.
    """

    customers: Literal["all", "development"]
    until: str | None


def learned_from(data: DataSet) -> Learned:
    """What a model learns from these rows."""
    known = bool(len(data)) and bool((data.anchors != NO_ANCHOR).all())
    last = str(np.datetime64(int(data.anchors.max()) + data.schema.horizon_days, "D")) if known else None
    return {"customers": "all" if held_out(data.keys).any() else "development", "until": last}


def unseen(data: DataSet, learned: Learned) -> NDArray[np.bool_]:
    """The rows whose outcome windows begin after all outcomes that a model learned from, or whose customers it never saw, bool (n,)."""
    later = np.zeros(len(data), dtype=bool)
    if learned["until"] is not None:
        later = data.anchors >= np.datetime64(learned["until"], "D").astype(np.int32)
    return later | held_out(data.keys) if learned["customers"] == "development" else later
