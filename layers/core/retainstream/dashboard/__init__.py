"""Counters: every number of the dashboard, kept by folding what changes instead of reading customers."""
