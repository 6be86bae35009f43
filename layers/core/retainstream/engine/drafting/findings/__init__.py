"""Traps in a table: each module looks for one sort of trap."""

from retainstream.engine.drafting.findings.finding import Finding, Findings, Sort

__all__ = ["Finding", "Findings", "Sort"]
