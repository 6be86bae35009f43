"""Uploads and downloads by signed links. The token is never sent: a link carries its own permission."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

import httpx

from cli.client import ATTEMPTS, FIRST_PAUSE, LONGEST_PAUSE, is_private
from cli.output import plain, written_whole
from cli.service_errors import ServiceError, Unavailable
from retainstream.storage.retry import pause

type Moved = Callable[[int], None]
"""Called with the number of bytes transferred so far."""

_PIECE = 256 << 10
_TIMEOUT = httpx.Timeout(120, connect=10)


class LinkEnded(ServiceError):
    """The storage does not accept the link, for example because it has expired."""


@contextmanager
def shown(text: str, size: int | None, *, quiet: bool) -> Iterator[Moved]:
    """A progress bar on a terminal. `size` is in bytes; None when it is not known."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=console, transient=True, disable=quiet or not console.is_terminal) as progress:
        task = progress.add_task(plain(text), total=size)
        yield lambda moved: progress.update(task, completed=moved)


def put_piece(path: Path, url: str, *, offset: int, size: int, moved: Moved) -> None:
    """Uploads `size` bytes of a file, starting at `offset`. After a failure the whole piece is sent again.

    Raises:
        LinkEnded: the storage does not accept the link.
        ServiceError: the file has become shorter.
        Unavailable: the storage does not answer.
    """

    def send(client: httpx.Client) -> None:
        content = _piece(path, offset, size, moved)
        _check(client.put(_checked(url), content=content, headers={"Content-Length": str(size)}))

    _retry(send)


def download(url: str, path: Path, *, moved: Moved) -> int:
    """Downloads a link to a file, which is complete or absent. Returns its size in bytes.

    Raises:
        LinkEnded: the storage does not accept the link.
        Unavailable: the storage does not answer.
    """
    with written_whole(path) as stream:

        def restart() -> bool:
            stream.seek(0)
            stream.truncate()
            return True

        return _fetch(url, stream, moved, restart)


def download_to(url: str, stream: IO[bytes]) -> int:
    """Like `download`, to a stream. Nothing is written twice: after the first byte there is no retry."""
    size = 0

    def count(moved: int) -> None:
        nonlocal size
        size = moved

    return _fetch(url, stream, count, lambda: size == 0)


def _fetch(url: str, stream: IO[bytes], moved: Moved, may_retry: Callable[[], bool]) -> int:
    size = 0

    def fetch(client: httpx.Client) -> None:
        nonlocal size
        size = 0
        with client.stream("GET", _checked(url)) as answer:
            _check(answer)
            for piece in answer.iter_bytes(_PIECE):
                stream.write(piece)
                size += len(piece)
                moved(size)

    _retry(fetch, may_retry)
    return size


def _piece(path: Path, offset: int, size: int, moved: Moved) -> Iterator[bytes]:
    with path.open("rb") as stream:
        stream.seek(offset)
        left = size
        while left:
            piece = stream.read(min(_PIECE, left))
            if not piece:
                raise ServiceError(f"{path} became shorter while it was uploaded", "Import it again when no program writes to it.")
            left -= len(piece)
            yield piece
            moved(offset + size - left)


def _retry(work: Callable[[httpx.Client], None], may_retry: Callable[[], bool] = lambda: True) -> None:
    with httpx.Client(timeout=_TIMEOUT, follow_redirects=False) as client:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                work(client)
            except (httpx.HTTPError, Unavailable) as error:
                if attempt < ATTEMPTS and may_retry():
                    time.sleep(pause(attempt, first=FIRST_PAUSE, longest=LONGEST_PAUSE))
                    continue
                if isinstance(error, Unavailable):
                    raise
                raise Unavailable(f"The file storage did not answer ({type(error).__name__})", "Try again later.") from error
            return


def _checked(url: str) -> str:
    if not is_private(url):
        raise ServiceError("The deployment sent a link that is not encrypted", "Report it to the operator.")
    return url


def _check(answer: httpx.Response) -> None:
    if answer.is_success:
        return
    if answer.status_code == 429 or answer.status_code >= 500:
        raise Unavailable(f"The file storage answered with status {answer.status_code}", "Try again later.")
    host = urlsplit(str(answer.url)).netloc
    raise LinkEnded(f"{host} did not accept the link (status {answer.status_code})", "Try again: each request gets a new link.")
