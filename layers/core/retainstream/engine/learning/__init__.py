"""Training: search, fit, calibration, evaluation, gate."""
