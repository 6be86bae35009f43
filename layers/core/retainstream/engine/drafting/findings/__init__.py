"""Traps in a table: each module looks for one sort and says what it saw."""

from retainstream.engine.drafting.findings.finding import Finding, Sort

__all__ = ["Finding", "Sort"]
