"""How many examples a property is tried on: a moderate number, or as many as the variable EXAMPLES says."""

import os


def examples(moderate: int) -> int:
    return int(os.environ.get("EXAMPLES", moderate))
