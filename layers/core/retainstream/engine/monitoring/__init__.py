"""Monitoring a model: drift since it was made, and its expected performance before outcomes are known."""
