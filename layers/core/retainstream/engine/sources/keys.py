"""Which of several rows about the same thing counts: one rule for kept sources and for files that are read.

The rows of a customer's subscriptions that start on the same day are told apart by their plans, and the newest delivery that has any states
all of them: two plans of one delivery are two subscriptions, and another plan in a later delivery replaces the one before.
"""

from collections.abc import Sequence

SUBSCRIPTION, PLAN = ("id", "start"), "plan"


def newest(subject: Sequence[str], apart: Sequence[str], delivery: Sequence[str], line: str) -> str:
    """A QUALIFY condition: of the rows with the same subject those of the newest delivery, and of the equal ones in `apart` the last line.

    Args:
        subject, apart: expressions of what the row is about, and of what tells rows of one delivery about it apart.
        delivery: expressions that rise with the delivery. line: one that rises with the place in it.
    """
    later = ", ".join(f"{part} DESC" for part in delivery)
    last = f"ROW_NUMBER() OVER (PARTITION BY {', '.join([*subject, *apart])} ORDER BY {later}, {line} DESC) = 1"
    return f"RANK() OVER (PARTITION BY {', '.join(subject)} ORDER BY {later}) = 1 AND {last}" if apart else last
