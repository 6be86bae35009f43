"""Runs of the state machines: importing, training, scoring."""
