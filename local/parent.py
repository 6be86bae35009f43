"""A stack that ends with the process that started it. Tests start theirs so: an interrupted test run leaves no stack behind."""

import os
import signal
import threading
import time
from collections.abc import Callable

_SECONDS_BETWEEN_CHECKS = 0.5
_SECONDS_TO_STOP = 10


def end_with(parent: int, before: Callable[[], None] = lambda: None) -> None:
    """Stop this process, as SIGTERM does, once the process with the id `parent` has ended. It may be the parent or an ancestor.

    `before` is called first. If the process has not stopped after ten seconds, it ends at once.
    """
    is_parent = os.getppid() == parent

    def watch() -> None:
        while os.getppid() == parent if is_parent else _exists(parent):
            time.sleep(_SECONDS_BETWEEN_CHECKS)
        before()
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(_SECONDS_TO_STOP)
        os._exit(1)

    threading.Thread(target=watch, name="parent", daemon=True).start()


def _exists(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
