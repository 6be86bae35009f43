"""The tasks of the history, which are steps of the scoring, the import and the training run, and of a machine that runs each day."""
