"""The upload of a run's file by signed links: in one PUT, or in parts that are joined at the end."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from pydantic import BaseModel, Field

from retainstream.storage.errors import NotStored
from retainstream.storage.uploads import Uploads

LARGEST_FILE = 5 * 10**9
ONE_PUT = 64 << 20
"""Files up to this size are uploaded in one piece, larger ones in parts of this size."""
UPLOAD_SECONDS = 6 * 3600


class IncompleteUpload(Exception):
    """Not all of the file has arrived; `missing` are the numbers of the parts that are absent or of another size."""

    def __init__(self, missing: list[int]) -> None:
        super().__init__("incomplete upload")
        self.missing = missing

    @property
    def advice(self) -> str:
        """The missing parts in a sentence."""
        shown = ", ".join(map(str, self.missing[:10])) + (f" and {len(self.missing) - 10} more" if len(self.missing) > 10 else "")
        parts = f"part {shown}" if len(self.missing) == 1 else f"parts {shown}"
        return f"The file is not complete: upload {parts}, then send this request again."


class UploadPart(BaseModel):
    """A piece of the file and where to PUT it, as it is, with no other headers than its length."""

    number: int
    offset: int = Field(description="Where in the file it begins, in bytes")
    size: int
    url: str


class UploadView(BaseModel):
    """How to upload the file."""

    parts: list[UploadPart]
    complete: str | None = Field(description="To be called with POST after the last part; null where one PUT is enough")
    expires_at: str = Field(description="ISO 8601, UTC; asking again with the same Idempotency-Key gives new links")


def begin_upload(uploads: Uploads, key: str, size: int) -> str | None:
    """Begins the upload of a file of `size` bytes. Returns its id, or None where one PUT is enough."""
    return uploads.begin(key) if size > ONE_PUT else None


def upload_view(uploads: Uploads, key: str, size: int, upload_id: str | None, then: str) -> UploadView:
    """New links for the upload of a file. `then` is the path to call after the last part."""
    parts, offset = [], 0
    for number, part_size in _sizes(size).items():
        if upload_id:
            url = uploads.part_link(key, upload_id, number, part_size, seconds=UPLOAD_SECONDS)
        else:
            url = uploads.link(key, part_size, seconds=UPLOAD_SECONDS)
        parts.append(UploadPart(number=number, offset=offset, size=part_size, url=url))
        offset += part_size
    return UploadView(parts=parts, complete=then if upload_id else None, expires_at=ends_in(UPLOAD_SECONDS))


def complete_upload(uploads: Uploads, key: str, size: int, upload_id: str | None) -> None:
    """Makes one file of the parts that were uploaded. Again, it changes nothing.

    Raises:
        IncompleteUpload: parts are missing.
    """
    if uploads.find(key) is not None:
        return
    if upload_id is None:
        raise IncompleteUpload([1])
    try:
        arrived = uploads.parts(key, upload_id)
        sizes = _sizes(size)
        missing = [number for number, part_size in sizes.items() if number not in arrived or arrived[number].size != part_size]
        if missing:
            raise IncompleteUpload(missing)
        uploads.complete(key, upload_id, arrived)
    except NotStored as error:
        if uploads.find(key) is None:  # unless another request completed it meanwhile
            raise IncompleteUpload(list(_sizes(size))) from error


def _sizes(size: int) -> Mapping[int, int]:
    return {number: min(ONE_PUT, size - offset) for number, offset in enumerate(range(0, size, ONE_PUT), start=1)}


def ends_in(seconds: int) -> str:
    """The moment in so many seconds: ISO 8601, UTC."""
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat(timespec="seconds")
