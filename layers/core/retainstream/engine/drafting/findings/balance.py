"""Too few customers of one outcome for a model or for its figures."""

from retainstream.engine.drafting.findings.finding import Finding
from retainstream.engine.traps.evidence import Outcome
from retainstream.engine.traps.leaks import share

FEWEST = 100
"""Customers of the rarer outcome below which an AUC of 0.8 has a 95 % interval wider than about ±0.05."""


def few_outcomes(outcome: Outcome, rows: int, label: str) -> list[Finding]:
    """A warning if too few customers left, or too few stayed."""
    rarer = min(outcome.positives, outcome.negatives)
    if rarer >= FEWEST:
        return []
    side = "left" if outcome.positives <= outcome.negatives else "stayed"
    text = (
        f"only {rarer:,} of {len(outcome):,} customers with a known {label} {side} ({share(rarer, len(outcome))}): too few "
        f"for a reliable model or figures; collect at least {FEWEST}, better 500"
    )
    return [Finding("few_outcomes", text, (label,), {"customers": rarer, "known": len(outcome), "rows": rows})]
