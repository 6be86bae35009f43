"""From labelled rows to a judged model: search, fit, calibrate, evaluate, gate."""
