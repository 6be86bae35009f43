"""Traps that spoil a model: columns that know the outcome, and copies of rows. The draft and training's checks use the same detectors."""
