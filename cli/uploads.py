"""The upload of a file to a run that waits for it."""

import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.answers import Upload, UploadedRun

if TYPE_CHECKING:
    from cli.client import Client

_LONGEST_NAME = 200


def upload(client: "Client", path: str, file: Path, body: Mapping[str, object], *, quiet: bool) -> Any:
    """Asks for a run at a path of the API, and uploads its file. Returns the view of the run, an `UploadedRun` of some kind.

    `body` has what is asked for besides the file.

    Raises:
        ServiceError: the file has become shorter, or the storage does not accept the links.
        Unavailable: the storage does not answer.
    """
    from cli.transfer import shown

    size = file.stat().st_size
    asked = {"file_name": file.name[-_LONGEST_NAME:], "size": size, **body}
    key = uuid.uuid4().hex

    def request() -> UploadedRun:
        view: UploadedRun = client.start(path, asked, key=key).data
        return view

    view = request()
    links = view["upload"]
    if links is None:
        return view
    with shown(f"Uploading {file.name}", size, quiet=quiet) as moved:
        _send(file, links, lambda: request()["upload"], moved)
    if links["complete"]:
        view = client.post(links["complete"], repeatable=True).data
    return view


def _send(file: Path, upload: Upload, renew: Callable[[], Upload | None], moved: Callable[[int], None]) -> None:
    """Sends the parts of a file. When the links have expired, `renew` brings new ones for the same run."""
    from cli.transfer import LinkEnded, put_piece

    parts = upload["parts"]
    for place, part in enumerate(parts):
        try:
            put_piece(file, part["url"], offset=part["offset"], size=part["size"], moved=moved)
        except LinkEnded:
            renewed = renew()
            if renewed is None:
                raise
            parts[place:] = renewed["parts"][place:]
            put_piece(file, parts[place]["url"], offset=part["offset"], size=part["size"], moved=moved)
