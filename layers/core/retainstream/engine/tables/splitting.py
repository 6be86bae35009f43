"""Finds the bounds of records in a delimited file, in bytes, so that parts of a file give the same records as the complete file.

A record ends where Python's csv module ends one: at a line end outside quotes. If a quoted value continues after its closing quote, the
rest of the line belongs to the broken record. A record longer than LONGEST_RECORD ends at the next line end, inside quotes or not. So the
beginning of a record depends only on the beginning of the previous one, and memory never holds more than one record and a block.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

LONGEST_RECORD = 1 << 20
BLOCK = 1 << 18

TOO_LONG = f"is longer than {LONGEST_RECORD:,} bytes, or a quote is opened and never closed"
UNCLOSED = "a quote is opened and never closed"
STRAY_QUOTE = "a quoted value continues after its closing quote; double the quotes inside it"

_LINE_END = re.compile(rb"\r\n?|\n")


class Readable(Protocol):
    """A binary stream. A read may return fewer bytes than requested, and nothing only at the end."""

    def read(self, size: int, /) -> bytes | None: ...


@dataclass(frozen=True, slots=True)
class Place:
    """The beginning of a record: its offset in bytes, and the number of its line, counted from 1."""

    offset: int
    line: int


@dataclass(frozen=True, slots=True)
class Span:
    """A record: its place, its bytes with the line end, and its fault ("" if there is none)."""

    place: Place
    content: bytes
    fault: str = ""


def lines_in(content: bytes) -> int:
    """The number of line ends: CR LF, LF and CR count once each."""
    return content.count(b"\n") + content.count(b"\r") - content.count(b"\r\n")


class Splitter:
    """Splits a stream that starts at a record into records. `place` is the beginning of the next record."""

    def __init__(self, stream: Readable, delimiter: str, place: Place) -> None:
        self.place = place
        self._stream = stream
        self._rest, self._at = b"", 0
        self._ended, self._end = False, place.offset
        mark = delimiter.encode()
        self._mark_bytes = len(mark)
        mark, blank = re.escape(mark), b" *" if delimiter == "," else b""
        quoted = blank + rb'"[^"]*+(?:""[^"]*+)*+"'
        field = b"(?:" + quoted + b"|(?!" + blank + b'")(?:(?!' + mark + rb")[^\r\n])*+)"
        self._record = re.compile(field + b"(?:" + mark + field + rb")*+(?:\r\n?|\n)")
        self._fields = re.compile(b"(?:" + field + mark + b")*+")
        self._quoted = re.compile(quoted)

    def spans(self) -> Iterator[Span]:
        """The records, in order."""
        while self._has_more():
            yield self._next()

    def skip_lines(self, lines: int) -> None:
        """Skips this many line ends, inside quotes or not."""
        for _ in range(lines):
            self._skip_to_line_end()

    def skip_records(self, least: int) -> bool:
        """Skips to the first record that begins at least `least` bytes from here. Returns whether there is one."""
        goal = self.place.offset + least
        while self.place.offset < goal and self._has_more():
            self._skip_plain(goal)
            if self.place.offset < goal and self._has_more():
                self._next()
        return self._has_more()

    def _skip_plain(self, goal: int) -> None:
        """Skips records before the first quote in memory: without quotes every line is a record."""
        quote = self._rest.find(b'"', self._at)
        known = len(self._rest) if quote < 0 else quote
        known = min(known, self._at + goal - self.place.offset, self._at + LONGEST_RECORD)
        end = max(self._rest.rfind(b"\n", self._at, known), self._rest.rfind(b"\r", self._at, known)) + 1
        if self._rest[end : end + 1] == b"\n" and self._rest[end - 1 : end] == b"\r":
            end += 1
        if end > self._at and self._is_complete(end):
            self._pass(end - self._at)

    def _next(self) -> Span:
        place = self.place
        while True:
            content, fault = self._complete()
            if content is not None and len(content) <= LONGEST_RECORD:
                self._pass(len(content))
                return Span(place, content, fault)
            if content is not None or len(self._rest) - self._at > LONGEST_RECORD:
                self._pass(LONGEST_RECORD)
                self._skip_to_line_end()
                return Span(place, b"", TOO_LONG)
            self._read()

    def _complete(self) -> tuple[bytes | None, str]:
        """The record that begins here and its fault; None if its end is not in memory yet."""
        rest, at = self._rest, self._at
        line_end = _LINE_END.search(rest, at)
        if line_end and rest.find(b'"', at, line_end.end()) < 0:
            return (rest[at : line_end.end()] if self._is_complete(line_end.end()) else None), ""
        record = self._record.match(rest, at)
        if record:
            return (record[0] if self._is_complete(record.end()) else None), ""
        fields = self._fields.match(rest, at)
        quoted = self._quoted.match(rest, fields.end() if fields else at)
        if quoted and (len(rest) - quoted.end() >= self._mark_bytes or self._ended):
            line_end = _LINE_END.search(rest, quoted.end())
            return (rest[at : line_end.end()] if line_end and self._is_complete(line_end.end()) else None), STRAY_QUOTE
        return (rest[at:], UNCLOSED) if self._ended else (None, "")

    def _is_complete(self, line_end: int) -> bool:
        """Whether the line end before this point is complete: after a CR as the last byte, a LF may follow."""
        return self._ended or line_end < len(self._rest) or self._rest[line_end - 1 : line_end] != b"\r"

    def _skip_to_line_end(self) -> None:
        while self._has_more():
            line_end = _LINE_END.search(self._rest, self._at)
            if line_end and self._is_complete(line_end.end()):
                self._pass(line_end.end() - self._at)
                return
            kept = 0 if self._ended else 1  # it may be a CR
            self._pass(len(self._rest) - self._at - kept)
            self._read()

    def _pass(self, size: int) -> None:
        end = self._at + size
        passed = self._rest[self._at : end]
        halved = passed[-1:] == b"\r" and self._rest[end : end + 1] == b"\n"  # CR LF counts with its LF
        self.place = Place(min(self.place.offset + size, self._end), self.place.line + lines_in(passed) - halved)
        self._at = end

    def _has_more(self) -> bool:
        if self._at == len(self._rest):
            self._read()
        return self._at < len(self._rest)

    def _read(self) -> None:
        if self._ended:
            return
        block = self._stream.read(BLOCK) or b""
        self._end += len(block)
        self._rest, self._at = self._rest[self._at :] + block, 0
        if not block:
            self._ended = True
            if self._rest and not self._rest.endswith((b"\r", b"\n")):
                self._rest += b"\n"
