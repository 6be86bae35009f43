"""Lives: what is known of the days on which a person was a customer, and what follows from them.

`timeline` changes a customer's lives by a fact, `labels` reads many lives as arrays, `months` gives their churn rate.
"""

from retainstream.engine.lives.life import (
    LONG_BEFORE,
    MOST_UNKNOWN,
    Label,
    churned_of,
    day_number,
    had_left,
    iso_day,
    label_of,
    label_of_lives,
    last_full_month,
    outcome_day,
    start_of,
)

__all__ = [
    "LONG_BEFORE",
    "MOST_UNKNOWN",
    "Label",
    "churned_of",
    "day_number",
    "had_left",
    "iso_day",
    "label_of",
    "label_of_lives",
    "last_full_month",
    "outcome_day",
    "start_of",
]
