"""The head of a delimited text: its separator, the lines above the header, and the quotes that its writer used."""

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

DELIMITERS = (",", ";", "\t", "|")
_SEPARATOR_LINE = re.compile(r"sep=(.)\s*", re.IGNORECASE)
_WHOLE_LINE = re.compile(r'"([^"]*(?:""[^"]*)*)"[;,\t ]*')
_ESCAPED = re.compile(r'\\(["\\])')
_DATUM = re.compile(r"[-+(]?\s*[$€£¥]?\s*\d[\d.,:/\s-]*(?:[%€$£)]|[A-Za-z]{0,3})?")
_MOST_TITLES = 50
_NEAR = 20
_WHOLE_LINES = 0.9
"""The share of lines that must be quoted as a whole."""


@dataclass(frozen=True)
class Head:
    """skipped: the lines above the header. titles: the texts in them. delimiter: the separator of fields."""

    delimiter: str
    skipped: int
    titles: Sequence[str] = ()


@dataclass(frozen=True)
class _Reading:
    """Lines by one separator: the lines above the header with their texts, the header's number of fields, and the share of the records
    after it that have as many."""

    skipped: int
    titles: Sequence[str]
    width: int
    share: float


def head_of(lines: Sequence[str], delimiter: str | None = None) -> Head:
    """The head of a text by its first lines; `delimiter` is the separator, where it is known. With blank lines alone all are skipped."""
    start = next((place for place, line in enumerate(lines) if line.strip()), len(lines))
    separator = _SEPARATOR_LINE.fullmatch(lines[start].strip('\r\n"')) if start < len(lines) and not delimiter else None
    if start == len(lines) or separator:
        after = next((place for place in range(start + 1, len(lines)) if lines[place].strip()), len(lines))
        return Head(separator[1] if separator else ",", after)
    body = lines[start:]
    chosen = delimiter or _delimiter_of(body)
    reading = _read(body, chosen)
    if not delimiter and (reading.share < 1 or reading.titles):
        others = {other: _read(body, other) for other in DELIMITERS if other != chosen}
        best = max(others, key=lambda other: (others[other].share, others[other].width))
        if others[best].titles and others[best].share == 1 and others[best].width > reading.width:
            chosen, reading = best, others[best]
    return Head(chosen, start + reading.skipped, reading.titles)


def is_quoted_by_line(lines: Sequence[str]) -> bool:
    """Whether every line is one quoted value that holds the fields: a table that was saved as a column of texts."""
    texts = [line.strip("\r\n") for line in lines if line.strip()]
    matches = [match for text in texts if (match := _WHOLE_LINE.fullmatch(text)) and any(mark in match[1] for mark in DELIMITERS)]
    return len(texts) > 1 and len(matches) >= _WHOLE_LINES * len(texts) and _WHOLE_LINE.fullmatch(texts[0]) is not None


def unquoted(line: str) -> str:
    """A line of a text that is quoted by line, without those quotes."""
    text = line.rstrip("\r\n")
    match = _WHOLE_LINE.fullmatch(text)
    return match[1].replace('""', '"') + line[len(text) :] if match else line


def is_escaped(lines: Sequence[str], delimiter: str) -> bool:
    """Whether quotes inside values are escaped by a backslash, as MySQL does, and not doubled."""
    if not any('\\"' in line for line in lines):
        return False
    return _fitting(map(doubled, lines), delimiter) > _fitting(lines, delimiter)


def doubled(line: str) -> str:
    """A line with doubled quotes in place of escaped ones."""
    return _ESCAPED.sub(lambda match: '""' if match[1] == '"' else "\\", line)


def looks_like_data(header: Sequence[str]) -> bool:
    """Whether a header has values where names should be."""
    return any(_DATUM.fullmatch(name) for name in header)


def _fitting(lines: "map[str] | Sequence[str]", delimiter: str) -> int:
    """The number of records, from the first on, that are well quoted and as wide as the first."""
    fitting = width = 0
    try:
        for record in csv.reader(lines, delimiter=delimiter, strict=True, skipinitialspace=delimiter == ","):
            width = width or len(record)
            fitting += len(record) == width
    except csv.Error:
        pass
    return fitting


def _delimiter_of(lines: Sequence[str]) -> str:
    """The separator with which most lines have as many fields as the header; among equals, the one with most fields."""

    def fit(delimiter: str) -> tuple[float, int]:
        try:
            widths = [len(record) for record in csv.reader(lines, delimiter=delimiter) if record]
        except csv.Error:
            return (0.0, 0)
        if not widths or widths[0] < 2:
            return (0.0, 0)
        return (round(widths.count(widths[0]) / len(widths), 1), widths[0])

    best = max(DELIMITERS, key=fit)
    return best if fit(best)[1] else ","


def _read(lines: Sequence[str], delimiter: str) -> _Reading:
    reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=delimiter == ",")
    records: list[tuple[int, list[str]]] = []
    before = 0
    try:
        for record in reader:
            if texts := [cell.strip() for cell in record]:
                records.append((before, texts))
            before = reader.line_num
    except csv.Error:
        pass
    filled = [sum(map(bool, texts)) for _, texts in records]
    place = _header_place(records, filled)
    if not records:
        return _Reading(0, (), 0, 0.0)
    titles = [" ".join(filter(None, texts)) for _, texts in records[:place] if any(texts)]
    width = len(records[place][1])
    near = [len(texts) for (_, texts), count in zip(records, filled, strict=True) if count][len(titles) : len(titles) + _NEAR]
    return _Reading(records[place][0], titles, width, near.count(width) / len(near) if width > 1 and near else 0.0)


def _header_place(records: Sequence[tuple[int, list[str]]], filled: Sequence[int]) -> int:
    """The place of the header among records: the first one, unless it has at most half as many texts as records usually have, and a record
    below looks like a header."""
    known = [count for count in filled if count]
    usual = median(known) if known else 0
    if usual < 2:
        return 0
    for place, (_, texts) in enumerate(records[:_MOST_TITLES]):
        if 2 * filled[place] > usual:
            return place if place == 0 or not looks_like_data(texts) else 0
    return 0
