"""Silences: the days of a customer without an event, how many of them end, and from which length on they mean churn."""
