"""The saving of the state, once a second as long as the stack runs."""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any

from local.save_error import SaveError
from local.state import State

_SECONDS = 1.0


class Saving:
    """Saves a state. `report` receives a reason why it fails, once until the reason changes, and the end of the failure."""

    def __init__(self, state: State, between_batches: AbstractContextManager[Any], report: Callable[[str], None]) -> None:
        self._state = state
        self._between_batches = between_batches
        self._report = report
        self._problem: str | None = None

    def problem(self) -> str | None:
        """Why the last save failed, and what follows; None after a complete one."""
        return self._problem and f"{self._problem} The stack tries again every second. Changes that are not saved are lost when it stops."

    @contextmanager
    def running(self, buckets: list[str]) -> Iterator[None]:
        """Save every second while the context lasts, and once more at its end."""
        self._state.watch_objects(buckets)
        stopping = threading.Event()

        def save_often() -> None:
            while not stopping.wait(_SECONDS):
                self._save()

        thread = threading.Thread(target=save_often, name="saving", daemon=True)
        thread.start()
        try:
            yield
        finally:
            stopping.set()
            thread.join(timeout=10)
            self._save()
            if self._problem:
                self._tell(f"{self._problem} The changes that are not saved are lost.")

    def _save(self) -> None:
        before = self.problem()
        try:
            self._state.flush(self._between_batches)
            self._problem = None
        except SaveError as error:
            self._problem = str(error)
        except Exception as error:
            self._problem = f"The state of the local stack cannot be saved ({type(error).__name__}: {error})."
        after = self.problem()
        if after != before:
            self._tell(after or "The state of the local stack is saved again.")

    def _tell(self, text: str) -> None:
        with suppress(OSError):  # the console may be a file on a full disk
            self._report(text)
