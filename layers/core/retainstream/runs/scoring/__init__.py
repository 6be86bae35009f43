"""The run that scores every customer."""
