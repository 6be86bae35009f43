"""Measurements of RetainStream against peers and against the bare work. `make bench` runs them all; see `bench/README.md`."""

BENCHMARKS = ("one_row", "blocks", "worker", "cold_start", "reads", "training", "importing", "features")
"""The modules with a `run`, in the order of the table."""
