"""The run that writes a file of predictions."""
