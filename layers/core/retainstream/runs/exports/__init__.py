"""The run that writes predictions to a CSV file."""
