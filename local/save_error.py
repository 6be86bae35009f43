"""Why a part of the state could not be saved."""

import errno
import shutil
import sqlite3
from pathlib import Path

_NO_ROOM_BYTES = 64 * 1024


class SaveError(Exception):
    """A part of the state could not be saved. The message says in sentences which part, and why."""


def reason(error: Exception, folder: Path) -> str:
    """The reason of an error in words, without a full stop. A full disk has several errors, and one name here."""
    if _is_full(error, folder):
        return f"the disk of {folder} is full"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror[0].lower() + error.strerror[1:]
    return str(error) if isinstance(error, sqlite3.Error) else f"{type(error).__name__}: {error}"


def _is_full(error: Exception, folder: Path) -> bool:
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code == sqlite3.SQLITE_FULL or (code == sqlite3.SQLITE_IOERR and shutil.disk_usage(folder).free < _NO_ROOM_BYTES)
