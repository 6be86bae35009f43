"""The model card: what a version predicts, how well, and what it is meant for, as data and as a page."""
