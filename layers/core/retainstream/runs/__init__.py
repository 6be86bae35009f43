"""What runs as a state machine: importing, retraining, scoring, exporting, recounting.

Each run is a folder with the same three files: `request.py` asks for it, `steps.py` does its tasks, `view.py` shows it.
"""
