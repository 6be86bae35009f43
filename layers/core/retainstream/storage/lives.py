"""Stored customers with their lives. Items of earlier versions have an outcome in place of a life, and are read as lives."""

from collections.abc import Sequence

from retainstream.engine.lives import LONG_BEFORE
from retainstream.engine.lives.timeline import Lives, left, seen
from retainstream.engine.records import Life
from retainstream.storage.attributes import Item

OLD_OUTCOME = ("churned", "outcome_at", "outcome_recorded_at", "outcome_prediction")
"""The attributes of earlier releases: those that lives replaced, and the prediction that an outcome was compared with. A write of a life
removes them."""

_READ_FOR_LIVES = (*OLD_OUTCOME, "features_at", "updated_at")


def to_read(attributes: Sequence[str]) -> tuple[str, ...]:
    """The attributes to read of an item so that `with_lives` can give these."""
    return tuple(dict.fromkeys((*attributes, *_READ_FOR_LIVES))) if "life" in attributes else tuple(attributes)


def with_lives(item: Item) -> Item:
    """A customer's item with its life, and without the attributes of earlier releases."""
    plain = {name: value for name, value in item.items() if name not in OLD_OUTCOME}
    return plain if "life" in item else {**plain, "life": _life_before(item)}


def _life_before(item: Item) -> Life:
    """The life that an item without one describes: whoever left had done so by the day of the outcome, at some unknown time before.

    An item that was written by hand may have no day at all.
    """
    described = _day_of(item.get("features_at") or item.get("updated_at"))
    recorded = _day_of(item.get("outcome_recorded_at") or item.get("outcome_at")) or described or LONG_BEFORE
    outcome = min(_day_of(item.get("outcome_at")) or recorded, recorded)
    sights = [day for day in (described, _day_of((item.get("outcome_prediction") or {}).get("scored_at"))) if day]
    lives: Lives = ()
    if item.get("churned") is True:
        sights = [day for day in sights if day < outcome]
        lives = left(lives, outcome, outcome)
    elif item.get("churned") is False:
        lives = seen(lives, outcome, stayed=True)
    for day in sights:
        lives = seen(lives, day)
    return lives[-1] if lives else {}


def _day_of(moment: object) -> str:
    return moment[:10] if isinstance(moment, str) else ""
