"""Files of customers with the dirt that spreadsheets, databases and people leave, drawn at random."""

import csv
import io
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from hypothesis import strategies as st

LABEL, ID = "left", "id"

_BLANKS: tuple[str, ...] = ("", "", " ", "NA", "n/a", "NULL", "nan", "?", "-", "none", "#N/A", "#REF!", "\u00a0")
_NO_NUMBERS: tuple[str, ...] = (
    "Error",
    "not set",
    "inf",
    "-Infinity",
    "1e300",
    "1e-121",
    "4.9e-324",
    "1.7976931348623157e+308",
    "9.9e307",
    "10+",
    "1_000",
)
_NO_NUMBERS += (
    "#VALUE!",
    "--5",
    "1.2.3",
    "1,2,3",
    "0x1F",
    "12345678901234567890",
    "٤٨",
    "½",
    "-0",
    "5-Jan",
    "00:12:04",
    "12 months",
    "-999",
)
_NO_DAYS: tuple[str, ...] = (
    "0000-00-00",
    "9999-12-31",
    "1900-01-00",
    "00.00.0000",
    "2023-02-29",
    "31.11.2024",
    "never",
    "29/02/2023",
    "0001-01-01",
)
_FORMS = ("%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%Y%m%d", "%d-%b-%Y", "%m/%d/%Y %I:%M %p", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m")
_LEVELS: tuple[str, ...] = (
    "Gold",
    "gold",
    "GOLD",
    "Gold ",
    "Silver",
    "NO",
    "Norway",
    "no",
    "yes",
    "A",
    "A\u200b",
    "Größe",
    "Gro\u0308ße",
    "GRÖSSE",
    "007",
    "7",
)
_LEVELS += (
    "00501",
    "1.0",
    "true",
    "null",
    "~",
    "other",
    "Other",
    "all",
    "None",
    'say "hi"',
    "a: b",
    "# no",
    "- x",
    "{x}",
    "[y]",
    "'",
    "\\",
)
_LEVELS += (
    "&a",
    "*a",
    "!t",
    "%",
    "@",
    "`",
    "😀 happy",
    "👩\u200d👩\u200d👧",
    "=1+1",
    "a;b|c",
    "Paris, FR",
    "line\nbreak",
    "tab\there",
    "x" * 250,
    "ß",
    "ss",
)
_IDS = ("K{}", "{:06d}", "a+b/{}", "#{}", "{{{}}}", "Kunde Nr. {}", "Müller {}", "{}.0", "{}@mail.example", "-{}", "{}%", "ид-{}", "😀{}")
_HEADERS: tuple[str, ...] = (
    "plan",
    "anchor",
    "zip",
    "PLZ",
    "latitude",
    "Lon",
    "created at",
    "joined",
    "price",
    "monthly fee",
    "null",
    "true",
    "Größe",
    "no",
)
_HEADERS += ("Kontonr.", "user id", "month", "😀", "2nd line", "x" * 230, "a: b", "Wert (€)", "other", "name", "id 2", "left?", "column_3")


@dataclass(frozen=True)
class DirtyFile:
    """A file with its content. `named_id` says whether a person names the id column."""

    content: bytes
    named_id: bool


@st.composite
def dirty_files(draw: st.DrawFn) -> DirtyFile:
    """Files of 30 to 90 rows with an id, a number of calls, an outcome and one to five columns. No cell, 3% or 20% of a column are dirt."""
    count = draw(st.integers(30, 90))
    rng = Random(draw(st.integers(0, 2**32)))
    headers = draw(st.lists(st.sampled_from(_HEADERS) | st.text(min_size=1, max_size=12), min_size=1, max_size=5, unique_by=_plain))
    columns = [_column(rng, draw(st.sampled_from(_KINDS)), count) for _ in headers]
    ids = draw(st.sampled_from(_IDS))
    rows = [
        [ids.format(number), str(number * 31 % 41), *(column[number] for column in columns), rng.choice(("yes", "no", "yes", "no", ""))]
        for number in range(count)
    ]
    rows[0][-1], rows[1][-1] = "yes", "no"
    if draw(st.booleans()):
        rows.append(["Total", "99999", *("" if number % 2 else "99999" for number in range(len(headers))), ""])
    delimiter = draw(st.sampled_from(",;\t"))
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator=draw(st.sampled_from(("\n", "\r\n"))))
    writer.writerow([ID, "calls", *headers, LABEL])
    writer.writerows(rows)
    return DirtyFile(draw(st.sampled_from(("", "\ufeff"))).encode() + text.getvalue().encode(), draw(st.booleans()))


def _plain(header: str) -> str:
    return header.strip().casefold()


def _column(rng: Random, kind: str, count: int) -> list[str]:
    share = rng.choice((0.0, 0.03, 0.2))
    cells = _clean(rng, kind, count)
    dirt = _BLANKS + {"date": _NO_DAYS, "level": ("10+",), "text": ()}.get(kind, _NO_NUMBERS)
    some = rng.sample(dirt, min(len(dirt), rng.choice((1, 3, 30))))
    return [rng.choice(some) if rng.random() < share else cell for cell in cells]


def _clean(rng: Random, kind: str, count: int) -> list[str]:
    match kind:
        case "integer":
            high = rng.choice((2, 9, 100, 50_000, 10**9, 2**60))
            return [str(rng.randrange(-high if rng.random() < 0.1 else 0, high)) for _ in range(count)]
        case "number":
            digits, scale, form = rng.choice((0, 1, 2, 3)), rng.choice((1, 100, 1e6, 1e-90, 1e12)), rng.choice(_NUMBER_FORMS)
            return [form(rng.gauss(1, 1) * scale, digits) for _ in range(count)]
        case "date":
            forms = [rng.choice(_FORMS) for _ in range(rng.choice((1, 1, 1, 2)))]
            span = rng.choice((11, 400, 9_000))
            return [(date(2015, 1, 1) + timedelta(days=rng.randrange(span))).strftime(rng.choice(forms)) for _ in range(count)]
        case "moment":
            first, step = rng.choice(
                ((1_420_070_400, 86_400), (1_420_070_400_000, 86_400_000), (41_000, 1), (1_700_000_000_000_000_000, 10**12))
            )
            return [str(first + step * rng.randrange(3_000)) for _ in range(count)]
        case "level":
            levels = rng.sample(_LEVELS, rng.choice((1, 2, 5, len(_LEVELS))))
            return [rng.choice(levels) for _ in range(count)]
        case "many":
            return [f"City {min(int(rng.expovariate(0.05)), 200)}" for _ in range(count)]
        case "flag":
            words = rng.choice((("Yes", "No"), ("ja", "nein"), ("1", "0"), ("TRUE", "false"), ("1.0", "0.0"), ("x", "")))
            return [rng.choice(words) for _ in range(count)]
        case "key":
            return [f"{rng.randrange(10**9):09d}" for _ in range(count)]
    return [
        "".join(chr(rng.choice((rng.randrange(32, 127), rng.randrange(160, 0x3000)))) for _ in range(rng.randrange(9)))
        for _ in range(count)
    ]


def _german(number: float, digits: int) -> str:
    return f"{number:,.{digits}f}".replace(",", "_").replace(".", ",").replace("_", ".")


_NUMBER_FORMS = (
    lambda number, digits: f"{number:.{digits}f}",
    lambda number, digits: f"{number:,.{digits}f}",
    _german,
    lambda number, digits: f"{_german(number, 2)} €",
    lambda number, digits: f"${number:,.2f}" if number >= 0 else f"(${-number:,.2f})",
    lambda number, digits: f"{number:.{digits}f}%",
    lambda number, digits: f"{abs(number):.{digits}f} GB",
    lambda number, digits: f"{number:.{digits}e}",
    lambda number, digits: f"{number!r}",
    lambda number, digits: f"{abs(number):.{digits}f}-",
)
_KINDS = ("integer", "number", "date", "moment", "level", "many", "flag", "key", "text")
