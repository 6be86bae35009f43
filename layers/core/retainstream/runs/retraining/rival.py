"""The champion as the candidate's rival: its probabilities for the test rows, and the rows on which the two may be compared.

A champion that was fitted to the outcomes of the test rows would win against every candidate that was not.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date

import numpy as np
from numpy.typing import NDArray

from retainstream.engine.learning.dataset import DataSet
from retainstream.engine.learning.gate import YEAR, Standard
from retainstream.engine.learning.metrics import Floats
from retainstream.engine.learning.split import enough_to_judge
from retainstream.engine.learning.unseen import Learned, unseen
from retainstream.engine.model.model import ScoringModel
from retainstream.engine.schema import FeatureSchema
from retainstream.registry.champion import Champion
from retainstream.registry.errors import CorruptModel, UnknownVersion
from retainstream.registry.loading import load_judged, load_version
from retainstream.registry.versions import get
from retainstream.storage.models import Version
from retainstream.storage.stores import Stores

_MOST_EARLIER = 12
"""Earlier champions that a candidate is compared with: one for each month of a year."""


@dataclass(frozen=True)
class Rival:
    """standard: the champion on the test rows, None where there is nothing to compare with. notes: sentences on the comparison."""

    standard: Standard | None = None
    notes: list[str] = field(default_factory=list)


def rival(stores: Stores, current: Champion | None, test: DataSet, *, learned_until: date, old_after: int) -> Rival:
    """The champion in service on the test rows, and the other champions of the year before `learned_until`.

    If it has learned the outcomes of some of them, the model that was judged at its training stands for it: the same settings, fitted
    before them.

    learned_until: the last day whose outcomes the candidate has learned. old_after: see `Standard`.
    """
    if current is None:
        return Rival(notes=["There is no champion to compare with."])
    try:
        record = get(stores.models, current.version)
        model = load_version(stores.models, stores.documents, current.version)
        judged = load_judged(record, stores.documents)
    except (CorruptModel, UnknownVersion):
        return Rival(notes=[f"The champion {current.version} cannot be read, so there is nothing to compare with."])
    if _inputs(model.schema) != _inputs(test.schema):
        return Rival(notes=[f"The champion {current.version} was trained on other columns, so the two cannot be compared."])
    if model.schema.horizon_days != test.schema.horizon_days:
        return Rival(notes=[f"The champion {current.version} predicts another horizon, so the two cannot be compared."])
    against = _champion_on(model, record, judged, test)
    if against.standard is None or against.standard.comparable is None:
        return against
    standard = replace(
        against.standard,
        lag=(learned_until - last_day_learned(record)).days,
        old_after=old_after,
        earlier=tuple(_earlier(stores, current, test, against.standard.comparable, learned_until)),
    )
    return replace(against, standard=standard)


def _champion_on(model: ScoringModel, record: Version, judged: tuple[ScoringModel, Learned] | None, test: DataSet) -> Rival:
    comparable = unseen(test, learned_by(record))
    if not comparable.all() and judged:
        stand_in, learned = judged
        before = unseen(test, learned)
        if before.sum() > comparable.sum():
            note = (
                f"The champion {record['version']} has learned outcomes of the test rows since it was judged. "
                "So the candidate is compared with the champion's settings as they were fitted when the champion was judged."
            )
            return _on(stand_in, test, before, [note], record["version"])
    return _on(model, test, comparable, [], record["version"])


def _earlier(stores: Stores, current: Champion, test: DataSet, comparable: NDArray[np.bool_], learned_until: date) -> Iterator[Floats]:
    """The probabilities of other versions that were in service in the last year and have not learned the comparable rows."""
    versions = dict.fromkeys(entry["version"] for entry in current.history if entry["version"] != current.version)
    for version in list(versions)[:_MOST_EARLIER]:
        try:
            record = get(stores.models, version)
            if (learned_until - last_day_learned(record)).days >= YEAR or not unseen(test, learned_by(record))[comparable].all():
                continue
            model = load_version(stores.models, stores.documents, version)
        except (CorruptModel, UnknownVersion):
            continue
        if _inputs(model.schema) == _inputs(test.schema) and model.schema.horizon_days == test.schema.horizon_days:
            yield model.probabilities(test.rows)


def last_day_learned(record: Version) -> date:
    """The last day whose outcomes a version may have learned: that of its training, where nothing else is known."""
    learned = record.get("learned")
    return date.fromisoformat((learned and learned["until"]) or record["created_at"][:10])


def learned_by(record: Version) -> Learned:
    """What a version in service has learned. A version of an earlier release held the test customers back, and knew what was known when it
    was made."""
    learned = record.get("learned")
    if learned is None:
        return {"customers": "development", "until": record["created_at"][:10]}
    return {"customers": learned["customers"], "until": learned["until"] or record["created_at"][:10]}


def _on(model: ScoringModel, test: DataSet, comparable: NDArray[np.bool_], notes: list[str], version: str) -> Rival:
    if not enough_to_judge(test.churned[comparable]):
        if comparable.all():  # few rows, but the champion's figures say as much as the candidate's
            return Rival(Standard(model.probabilities(test.rows), comparable), notes)
        note = f"The champion {version} has learned the outcomes of the test rows, so the two cannot be compared."
        return Rival(notes=[note])
    if not comparable.all():
        rows = int(comparable.sum())
        notes = [*notes, f"The two are compared on the {rows:,} of {len(test):,} test rows whose outcomes the champion has not learned."]
    return Rival(Standard(model.probabilities(test.rows), comparable), notes)


def _inputs(schema: FeatureSchema) -> list[tuple[object, ...]]:
    return [(column.name, column.kind, column.levels) for column in schema.features]
