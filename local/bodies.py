"""Bodies of objects, each in a file of its own beside the database."""

import os
import sys
import uuid
from collections.abc import Collection, Iterable
from pathlib import Path
from weakref import WeakValueDictionary

_UNFINISHED = ".part"


class Body:
    """A body in a file, with the methods by which moto reads one. Each read opens the file: a body takes no memory and no descriptor."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._position = 0
        self.closed = False

    @property
    def name(self) -> str:
        """The name of the file."""
        return self._path.name

    @property
    def size(self) -> int:
        """The size in bytes.

        Raises:
            OSError: the file is missing.
        """
        return self._path.stat().st_size

    def seek(self, position: int) -> int:
        """Set the position of the next read, in bytes from the beginning."""
        self._position = position
        return position

    def read(self, size: int = -1) -> bytes:
        """Read up to `size` bytes, or all that follow.

        Raises:
            OSError: the file cannot be read.
        """
        with self._path.open("rb") as file:
            file.seek(self._position)
            content = file.read(size)
        self._position += len(content)
        return content

    def close(self) -> None:
        """Let the file go; moto does so when it forgets the version of an object."""
        self.closed = True


class Bodies:
    """The folder of the bodies, readable by its owner only. A file gets its final name once it is on the disk as a whole.

    Raises:
        OSError: the folder cannot be created.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read = WeakValueDictionary[str, Body]()
        folder.mkdir(exist_ok=True, mode=0o700)

    def body(self, name: str) -> Body:
        """The body in the file of that name, which stays as long as the body is not closed."""
        body = self._read[name] = Body(self._folder / name)
        return body

    def copy(self, pieces: Iterable[bytes], size: int) -> str:
        """Copy a body of `size` bytes to a new file. Returns the name that the file has after `finish`.

        Raises:
            OSError: there is no room for it. Nothing remains of the file.
        """
        name = uuid.uuid4().hex
        path = self._unfinished(name)
        try:
            with open(path, "xb", opener=_for_the_owner) as file:
                if size and sys.platform != "darwin":
                    os.posix_fallocate(file.fileno(), 0, size)  # a full disk is noticed before anything is copied
                file.writelines(pieces)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return name

    def finish(self, name: str) -> None:
        """Write a copied file to the disk and give it its name. `sync` makes the name last.

        Raises:
            OSError: the disk does not take it. Nothing remains of the file.
        """
        path = self._unfinished(name)
        try:
            _write_out(path)
            path.rename(self._folder / name)
        except BaseException:
            path.unlink(missing_ok=True)
            raise

    def sync(self) -> None:
        """Write the names of finished files to the disk."""
        _write_out(self._folder)

    def add(self, content: bytes) -> str:
        """Copy and finish a body. Returns its name.

        Raises:
            OSError: there is no room for it.
        """
        name = self.copy([content], len(content))
        self.finish(name)
        return name

    def keep_only(self, names: Collection[str]) -> None:
        """Remove the files that neither these names nor a body needs.

        Raises:
            OSError: a file cannot be removed.
        """
        needed = {*names, *(name for name, body in self._read.items() if not body.closed)}
        for path in self._folder.iterdir():
            if path.name not in needed:
                path.unlink(missing_ok=True)

    def _unfinished(self, name: str) -> Path:
        return self._folder / f"{name}{_UNFINISHED}"


def _for_the_owner(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _write_out(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
