"""Files that go to and come from the links a deployment gives out. The token stays at home: a link needs none."""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

import httpx

from cli.client import ATTEMPTS, is_private
from cli.output import plain, written_whole
from cli.service_errors import ServiceError, Unavailable

type Moved = Callable[[int], None]
"""Is told how many bytes have been moved, from the beginning."""

_PIECE = 256 << 10
_TIMEOUT = httpx.Timeout(120, connect=10)


class LinkEnded(ServiceError):
    """The storage does not take the link, or not any more."""


@contextmanager
def shown(text: str, size: int | None, *, quiet: bool) -> Iterator[Moved]:
    """A bar on a terminal while a file moves. `size` in bytes, None where it is not known."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=console, transient=True, disable=quiet or not console.is_terminal) as progress:
        task = progress.add_task(plain(text), total=size)
        yield lambda moved: progress.update(task, completed=moved)


def put_piece(path: Path, url: str, *, offset: int, size: int, moved: Moved) -> None:
    """Uploads `size` bytes of a file from `offset` on. What broke off is sent again from its beginning: the link takes it again.

    Raises:
        LinkEnded, ServiceError: the file is shorter than it was, or the storage refuses it.
        Unavailable: the storage does not answer.
    """

    def send(client: httpx.Client) -> None:
        content = _piece(path, offset, size, moved)
        _check(client.put(_checked(url), content=content, headers={"Content-Length": str(size)}))

    _until_it_works(send)


def download(url: str, path: Path, *, moved: Moved) -> int:
    """Writes what a link gives to a file, whole or not at all. Returns its size in bytes.

    Raises:
        LinkEnded, Unavailable
    """
    with written_whole(path) as stream:

        def afresh() -> bool:
            stream.seek(0)
            stream.truncate()
            return True

        return _fetch(url, stream, moved, afresh)


def download_to(url: str, stream: IO[bytes]) -> int:
    """As `download`, to a stream that may have readers: nothing is written to it twice."""
    size = 0

    def count(moved: int) -> None:
        nonlocal size
        size = moved

    return _fetch(url, stream, count, lambda: size == 0)


def _fetch(url: str, stream: IO[bytes], moved: Moved, may_go_again: Callable[[], bool]) -> int:
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

    _until_it_works(fetch, may_go_again)
    return size


def _piece(path: Path, offset: int, size: int, moved: Moved) -> Iterator[bytes]:
    with path.open("rb") as stream:
        stream.seek(offset)
        left = size
        while left:
            piece = stream.read(min(_PIECE, left))
            if not piece:
                raise ServiceError(f"{path} became shorter while it was uploaded", "Import it again when nothing writes to it.")
            left -= len(piece)
            yield piece
            moved(offset + size - left)


def _until_it_works(work: Callable[[httpx.Client], None], may_go_again: Callable[[], bool] = lambda: True) -> None:
    with httpx.Client(timeout=_TIMEOUT, follow_redirects=False) as client:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                work(client)
            except (httpx.HTTPError, Unavailable) as error:
                if attempt < ATTEMPTS and may_go_again():
                    time.sleep(random.uniform(0, min(8.0, 0.25 * 2**attempt)))  # noqa: S311
                    continue
                if isinstance(error, Unavailable):
                    raise
                raise Unavailable(f"The storage of files did not answer ({type(error).__name__})", "Try again later.") from error
            return


def _checked(url: str) -> str:
    if not is_private(url):
        raise ServiceError("The deployment gave a link that is not encrypted", "Tell whoever operates it.")
    return url


def _check(answer: httpx.Response) -> None:
    if answer.is_success:
        return
    if answer.status_code == 429 or answer.status_code >= 500:
        raise Unavailable(f"The storage of files answered with status {answer.status_code}", "Try again later.")
    where = urlsplit(str(answer.url)).netloc
    raise LinkEnded(f"{where} did not take the link (status {answer.status_code})", "Try again: each time brings a new link.")
