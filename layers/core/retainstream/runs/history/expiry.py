"""The months for which the history is kept, counted back from its newest anchor."""

from collections.abc import Sequence
from datetime import date

from retainstream.engine.history.training_rows import months_before
from retainstream.engine.lives import day_number, iso_day
from retainstream.storage.history import HistoryFile


def newest_files(files: Sequence[HistoryFile], months: int) -> list[HistoryFile]:
    """The files with anchors in the newest months, newest anchor first."""
    oldest = oldest_anchor(files, months)
    return sorted((file for file in files if file.anchor > oldest), key=lambda file: file.anchor, reverse=True)


def oldest_anchor(files: Sequence[HistoryFile], months: int) -> str:
    """The newest anchor that is too old, as an ISO day."""
    newest = max((file.anchor for file in files), default=date.min.isoformat())
    return iso_day(months_before(day_number(newest), months)) if files else newest
