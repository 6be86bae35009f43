"""Traps in a table: each module looks for one sort of trap."""

from retainstream.engine.drafting.findings.finding import Finding, Sort

__all__ = ["Finding", "Sort"]
