"""The columns of a file that may be its outcome, and those that may be its id."""

from collections.abc import Sequence

from retainstream.engine.drafting.names import names_a_key, names_the_customer
from retainstream.engine.drafting.profiles import Profile
from retainstream.engine.traps.words import words_of

_MOST_VALUES = 10
_SPEAKS = (
    *("churn", "cancel", "left", "attrit", "exit", "lost", "leav", "terminat", "gone", "unsubscrib", "resign", "quit", "abandon"),
    *("kündig", "kuendig", "gekünd", "abgang", "abwander", "résili", "resili", "depart", "départ", "parti", "baja", "cancelad", "disdet"),
    *("status", "active", "aktiv", "retain", "renew", "stay", "state", "outcome", "label", "target", "bleib"),
)


def likely_labels(profiles: Sequence[Profile], most: int = 5) -> list[str]:
    """The headers of columns with few values, those first whose header or values speak of leaving and staying."""
    ranked = [
        (rank, place, profile.name)
        for place, profile in enumerate(profiles)
        if profile.holds in ("boolean", "category", "integer") and 2 <= profile.distinct <= _MOST_VALUES
        if (rank := _rank(profile)) is not None
    ]
    return [header for _, _, header in sorted(ranked)[:most]]


def likely_ids(profiles: Sequence[Profile], most: int = 5) -> list[str]:
    """The headers of columns that tell rows apart, those first whose header names the customer, then those that name a key."""
    unique = [profile for profile in profiles if profile.holds == "identifier"]
    named = sorted(unique, key=lambda profile: (not names_the_customer(profile.name), not names_a_key(profile.name)))
    return [profile.name for profile in named[:most]]


def _rank(profile: Profile) -> int | None:
    joined = "".join(words_of(profile.name)) + profile.name.lower()
    for place, word in enumerate(_SPEAKS):
        if word in joined:
            return place
    values = " ".join(text.lower() for text, _ in profile.levels)
    if any(word in values for word in _SPEAKS):
        return len(_SPEAKS)
    return 2 * len(_SPEAKS) if profile.distinct == 2 else None
