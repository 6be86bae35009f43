"""A file, or its first part, in the body of a request."""

import base64
import binascii
import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool

from retainstream.engine.tables import open_table
from retainstream.engine.tables.delimited import DelimitedTable
from retainstream.engine.tables.problems import TableProblem, UnreadableTable

LARGEST_SENT = 4_000_000
"""Bytes of a file in a request, as sent: a function takes requests of up to 6 MB, and base64 makes four characters of three bytes."""
LARGEST_BODY = 5_500_000
MOST_UNPACKED = 16_000_000

_GZIP = b"\x1f\x8b"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


class SentFile(BaseModel):
    """A file, or its first part."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    file_name: str = Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f/\\]+$", examples=["customers.csv"])
    content: str = Field(
        min_length=1,
        max_length=(LARGEST_SENT + 2) // 3 * 4,
        description="The bytes of the file in base64, plain or compressed with gzip: up to 4 MB as sent, and up to 16 MB unpacked",
        examples=["Y3VzdG9tZXJfaWQscGxhbgoxLGJhc2ljCg=="],
    )
    complete: StrictBool = Field(default=True, description="false: it is the first part of the file, and its last record is not read")
    decimal: Literal[".", ","] | None = Field(default=None, description="The decimal mark of its numbers. Default: detected")
    encoding: str | None = Field(
        default=None,
        max_length=40,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9 _.:-]*$",
        description="The encoding of its text. Default: detected",
        examples=["windows-1250"],
    )
    sheet: str | None = Field(
        default=None,
        min_length=1,
        max_length=31,
        pattern=r"^[^\x00-\x1f\x7f]+$",
        description="The sheet of a workbook. Default: the first one",
        examples=["Customers"],
    )


@contextmanager
def opened(sent: SentFile) -> Iterator[DelimitedTable]:
    """The file as a table.

    Raises:
        UnreadableTable: it is not base64, unpacks to too much, or is not a table.
    """
    stream = io.BytesIO(content_of(sent))
    with open_table(stream, decimal=sent.decimal, encoding=sent.encoding, sheet=sent.sheet, name=sent.file_name) as table:
        yield table


def content_of(sent: SentFile) -> bytes:
    """The bytes of the file, unpacked; of a part without what follows its last line end.

    Raises:
        UnreadableTable
    """
    try:
        content = base64.b64decode(sent.content, validate=True)
    except binascii.Error as error:
        raise _refused(sent, "is not in base64") from error
    if content.startswith(_GZIP):
        content = _unpacked(sent, content)
    return content if sent.complete else _whole_lines(content)


def _whole_lines(content: bytes) -> bytes:
    if content.startswith(_UTF_16):
        text = content.decode("utf-16", "ignore")
        return (text[: text.rfind("\n") + 1] or text).encode("utf-16")
    return content[: content.rfind(b"\n") + 1] or content


def _unpacked(sent: SentFile, packed: bytes) -> bytes:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(packed)) as stream:
            content = stream.read(MOST_UNPACKED + 1)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise _refused(sent, "is compressed, and damaged") from error
    if len(content) > MOST_UNPACKED:
        raise _refused(sent, f"unpacks to more than {MOST_UNPACKED // 1_000_000} MB; send its first part")
    return content


def _refused(sent: SentFile, detail: str) -> UnreadableTable:
    return UnreadableTable(sent.file_name, [TableProblem(detail)])
