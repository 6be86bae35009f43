"""Lives with an outcome, for customers that tests store."""

from retainstream.engine.records import Life

SEEN_ON, KNOWN_ON = "2026-01-01", "2026-01-31"


def outcome(left: object) -> Life:
    """A customer who was seen on one day, and had left or was still a customer a month later."""
    if left:
        return {"first_seen_on": SEEN_ON, "observed_until": SEEN_ON, "left_on": KNOWN_ON, "left_after": SEEN_ON}
    return {"first_seen_on": SEEN_ON, "observed_until": KNOWN_ON, "stayed_on": KNOWN_ON}


def seen() -> Life:
    """A customer without an outcome."""
    return {"first_seen_on": SEEN_ON, "observed_until": SEEN_ON}
