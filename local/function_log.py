"""The log of the functions, a file that never hinders them."""

import io
from collections.abc import Callable
from pathlib import Path


class FunctionLog(io.TextIOWrapper):
    """A text file, written line by line. What the disk does not take is dropped; `report` receives the first reason.

    An error of a log must not end what is logged: `print` would fail in the function, and `logging` would write a traceback for each line.

    Raises:
        OSError: the file cannot be opened.
    """

    def __init__(self, path: Path, report: Callable[[str], None]) -> None:
        super().__init__(path.open("ab"), encoding="utf-8", errors="backslashreplace", line_buffering=True)
        self._path = path
        self._report = report
        self._refusing = False

    def write(self, text: str) -> int:
        try:
            super().write(text)
        except OSError as error:
            self._refuse(error)
        return len(text)

    def flush(self) -> None:
        try:
            super().flush()
            self._refusing = False
        except OSError as error:
            self._refuse(error)

    def close(self) -> None:
        try:
            super().close()
        except OSError as error:
            self._refuse(error)

    def _refuse(self, error: OSError) -> None:
        if not self._refusing:
            self._refusing = True
            self._report(f"{self._path} cannot be written ({error.strerror}). Lines of the functions are lost.")
