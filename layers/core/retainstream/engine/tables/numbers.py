"""Numbers as people and spreadsheets write them: with marks, groups, money, units, brackets and trailing signs.

Which mark is the decimal one, and which unit a column has, is decided for each column over its cells: `votes` counts what the cells say,
`decided` draws the conclusion, and `number_reader` reads by it.
"""

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal, NamedTuple
from unicodedata import decimal as digit_of

from retainstream.engine.tables.currencies import currency_in, is_currency, may_be_same
from retainstream.engine.tables.spelling import cleaned

type Decimal = Literal[".", ","]

CLOCK = "h:mm:ss"
"""The format of numbers that are written as hours, minutes and seconds, and read as minutes."""

_PLAIN = {".": re.compile(r"[-+]?\d{1,300}(?:\.\d{1,300})?", re.ASCII), ",": re.compile(r"[-+]?\d{1,300}(?:,\d{1,300})?", re.ASCII)}
_GROUPS = r"[1-9]\d{0,2}(?: \d{3})+|[1-9]\d{0,2}(?:'\d{3})+"
_WHOLE = {
    ".": re.compile(rf"(?:\d+|[1-9]\d{{0,2}}(?:,\d{{3}})+|[1-9]\d?(?:,\d{{2}})+,\d{{3}}|{_GROUPS})(?:\.\d*)?|\.\d+", re.ASCII),
    ",": re.compile(rf"(?:\d+|[1-9]\d{{0,2}}(?:\.\d{{3}})+|{_GROUPS})(?:,\d*)?|,\d+", re.ASCII),
}
"""The digits of a number by its decimal mark; groups of three, of Indian lakhs (4,41,840), with blanks or apostrophes."""
_PARTS = re.compile(
    r"(?P<lead>\D*?)(?P<digits>(?:\d|(?<![^\W\d_])[.,](?=\d))(?:[\d.,]|[ '](?=\d))*)(?P<exponent>[eE][-+]?\d{1,4})?(?P<tail>\D*)",
    re.ASCII,
)
_SIGN = re.compile(r"[-+]")
_UNIT = re.compile(r"(?:[^\W\d_]{1,20}|°[^\W\d_]?)[.²³]?(?: [^\W\d_]{1,20}\.?)?")
_PER = re.compile(r" ?/ ?| (?:per|pro|par|por) ")
_NO_UNITS = frozenset({"am", "pm", "st", "nd", "rd", "th"})
_CLOCK = re.compile(r"(\d{1,5}):([0-5]\d)(?::([0-5]\d)(?:\.\d+)?)?")
_SCALES = {"k": 1e3, "tsd": 1e3, "mio": 1e6, "mln": 1e6, "million": 1e6, "millions": 1e6, "mrd": 1e9, "bn": 1e9, "billion": 1e9}
_SPELLED = str.maketrans(
    {"\u2019": "'", "\u2018": "'", "\u02bc": "'", "\u00b4": "'", "`": "'", "\u066a": "%", "\uff05": "%"}
    | dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212\ufe63\uff0d", "-")
    | {"\uff0b": "+", "\uff08": "(", "\uff09": ")", "\uff0c": ",", "\uff0e": ".", "\uffe5": "¥", "\uff04": "$"}
)
_ARABIC_DECIMAL, _ARABIC_GROUP = "\u066b", "\u066c"


class Writing(NamedTuple):
    """How the cells of a column write their numbers.

    form: "# months" where the numbers have a unit, # for the number; CLOCK; "" for numbers alone. Cells without the unit are read as well.
    """

    decimal: Decimal = "."
    form: str = ""


@dataclass(frozen=True)
class Marks:
    """What the cells of a column say about its numbers, in rows.

    comma, point: with this decimal mark only. either: the mark may separate decimals or thousands, as in 1.234; `example` is such a text.
    either_mark: the mark of these. short, long: whole numbers without a mark, below 1000 and from 1000 on. clocks: 01:30:00.
    units: rows by unit. numbers: all rows with a number, whatever the mark.
    """

    comma: int = 0
    point: int = 0
    either: int = 0
    short: int = 0
    long: int = 0
    clocks: int = 0
    numbers: int = 0
    either_mark: Decimal | None = None
    example: str = ""
    comma_example: str = ""
    point_example: str = ""
    units: Mapping[str, int] = field(default_factory=dict)

    @property
    def clear(self) -> Decimal | None:
        """The decimal mark of the cells that have one meaning; None where there are none, or as many of both."""
        return None if self.comma == self.point else "," if self.comma > self.point else "."

    @property
    def likely(self) -> Decimal | None:
        """The decimal mark that the cells with two meanings suggest: beside whole numbers from 1000 on, their mark separates decimals;
        beside smaller ones alone, thousands. None where they suggest nothing."""
        if self.either_mark is None or not self.short | self.long:
            return None
        return self.either_mark if self.long else _other(self.either_mark)

    @property
    def seen(self) -> bool:
        """Whether a cell has a mark."""
        return bool(self.comma or self.point or self.either)

    def against(self, decimal: Decimal) -> int:
        """The rows that cannot be read with this mark."""
        return self.point if decimal == "," else self.comma

    def contradict(self, decimal: Decimal) -> str:
        """An example of the cells against this mark if there are more of them than of those that need it; otherwise ""."""
        against, with_it = self.against(decimal), self.against(_other(decimal))
        return (self.point_example if decimal == "," else self.comma_example) if against > with_it and against * 100 >= self.numbers else ""

    def other_unit(self, writing: Writing) -> str:
        """The unit of more than half of the cells, if that is not the unit of a column written so; otherwise ""."""
        unit, rows = max(self.units.items(), key=lambda counted: counted[1], default=("", 0))
        wanted = unit_of(writing.form)
        return unit if wanted and 2 * rows > self.numbers and not _same_unit(unit, wanted) else ""


type _Saying = Literal["comma", "point", "either .", "either ,", "short", "long", "groups", "clock", "nothing"]
"""What a text says: its decimal mark, or that its mark may be either; a whole number below 1000, or from 1000 on, without a mark, or one
with groups of another kind; a time on a clock; nothing about numbers."""


class _Spelled(NamedTuple):
    negative: bool
    digits: str
    exponent: str
    factor: float
    unit: str


def number_in(text: str, decimal: Decimal = ".") -> float | None:
    """The number that a text spells, or None. Groups, a currency, a percent sign, brackets or a sign behind it are understood; other units
    are not."""
    return number_reader(Writing(decimal))(text)


@lru_cache(256)
def number_reader(writing: Writing) -> Callable[[str], float | None]:
    """A function for the cells of a column that is written so: the number, or None. Of a column with a unit, cells with another unit are no
    numbers; of one without, cells with a unit that is no currency."""
    decimal, form = writing
    plain, whole = _PLAIN[decimal].fullmatch, _WHOLE[decimal].fullmatch
    unit = unit_of(form)
    if form == CLOCK:
        return lambda text: _minutes(text, decimal)

    def number(text: str) -> float | None:
        if plain(text):
            return float(text.replace(",", ".") if decimal == "," else text)
        spelled = _spelled(text, decimal)
        if spelled is None or not whole(spelled.digits) or not (not spelled.unit or _same_unit(spelled.unit, unit)):
            return None
        if spelled.exponent and not plain(spelled.digits):
            return None
        digits = spelled.digits.replace(" ", "").replace("'", "")
        digits = digits.replace(".", "").replace(",", ".") if decimal == "," else digits.replace(",", "")
        value = float(digits + spelled.exponent) * spelled.factor
        return (-value if spelled.negative else value) if math.isfinite(value) else None

    return number


def votes(texts: Iterable[str], counts: Iterable[int]) -> Marks:
    """What distinct texts of a column say about its numbers, given the rows of each."""
    said: Counter[_Saying] = Counter()
    examples: dict[_Saying, str] = {}
    units: Counter[str] = Counter()
    for text, rows in zip(texts, counts, strict=True):
        says = _plainly(text)
        if says is None:
            says, unit = _says(text)
            if unit:
                units[unit] += rows
        said[says] += rows
        if says not in examples:
            examples[says] = text
    either = said["either ."] + said["either ,"]
    mark: Decimal | None = None if bool(said["either ."]) == bool(said["either ,"]) else "." if said["either ."] else ","
    return Marks(
        comma=said["comma"],
        point=said["point"],
        either=either,
        short=said["short"],
        long=said["long"],
        clocks=said["clock"],
        numbers=said["comma"] + said["point"] + either + said["short"] + said["long"] + said["groups"],
        either_mark=mark,
        example=examples.get("either .") or examples.get("either ,") or "",
        comma_example=examples.get("comma", ""),
        point_example=examples.get("point", ""),
        units=_grouped(units),
    )


def _plainly(text: str) -> _Saying | None:
    """What a number of digits and at most one mark says; None for other texts."""
    if not text.isascii():
        return None
    if text.isdigit():
        return "short" if len(text) <= 3 else "long"
    whole, mark, fraction = text.partition(",") if "," in text else text.partition(".")
    if not fraction.isdigit():
        return None
    whole = whole[1:] if whole[:1] in ("+", "-") else whole
    if not whole.isdigit():
        return None
    if len(fraction) == 3 and len(whole) <= 3 and whole[0] != "0":
        return "either ," if mark == "," else "either ."
    return "comma" if mark == "," else "point"


def _says(text: str) -> tuple[_Saying, str]:
    """What any text says, and the unit of its number."""
    if _CLOCK.fullmatch(text):
        return "clock", ""
    spelled = _spelled(text, None)
    if spelled is None:
        return "nothing", ""
    digits, forms = spelled.digits, _PLAIN if spelled.exponent else _WHOLE
    if "," not in digits and "." not in digits:
        return "short" if len(digits) <= 3 else "long" if digits.isdigit() else "groups", spelled.unit
    reads_comma, reads_point = bool(forms[","].fullmatch(digits)), bool(forms["."].fullmatch(digits))
    if reads_comma and reads_point:
        return "either ," if "," in digits else "either .", spelled.unit
    return ("comma" if reads_comma else "point" if reads_point else "nothing"), spelled.unit


def decided(marks: Marks, default: Decimal | None = None, *, commas_separate: bool = True) -> Writing:
    """How a column writes its numbers. `default` is the mark of the file's other columns, None where they have none; `commas_separate`
    says whether the file's fields are separated by commas."""
    if marks.clocks > marks.numbers:
        return Writing(default or ".", CLOCK)
    decimal: Decimal = marks.clear or default or marks.likely or ("." if commas_separate or marks.either_mark == "." else ",")
    unit, rows = max(marks.units.items(), key=lambda counted: counted[1], default=("", 0))
    return Writing(decimal, f"# {unit}" if unit and (_is_money(unit) or 2 * rows >= marks.numbers) else "")


def mark_of_file(columns: Iterable[Marks]) -> Decimal | None:
    """The decimal mark of most columns whose cells have one meaning; None where there are none."""
    clear = Counter(mark for marks in columns if (mark := marks.clear))
    return "," if clear[","] > clear["."] else "." if clear["."] > clear[","] else None


def two_readings(marks: Marks, writing: Writing) -> str:
    """A sentence on cells that can be read in two ways, and how they are read; "" where there are none."""
    if not marks.either or (marks.clear == writing.decimal):
        return ""
    one, other = number_reader(writing)(marks.example), number_reader(writing._replace(decimal=_other(writing.decimal)))(marks.example)
    if one is None or other is None:
        return ""
    return f'"{marks.example}" is read as {one:,.10g}, and could also mean {other:,.10g}'


def unit_of(form: str) -> str:
    """The unit of a format such as "# months"; "" without one."""
    return form.replace("#", "").strip() if "#" in form else ""


def _other(decimal: Decimal) -> Decimal:
    return "." if decimal == "," else ","


def _minutes(text: str, decimal: Decimal) -> float | None:
    match = _CLOCK.fullmatch(text.strip())
    if match is None:
        return number_in(text, decimal)
    return int(match[1]) * 60 + int(match[2]) + int(match[3] or 0) / 60


def _spelled(text: str, decimal: Decimal | None) -> _Spelled | None:
    """The parts of a number; None for other texts. Digits hold blanks, apostrophes, points and commas as written."""
    if not any(map(str.isdigit, text)) or len(text) > 400:
        return None
    match = _PARTS.fullmatch(_western(text, decimal))
    if match is None:
        return None
    lead, digits, tail = match["lead"], match["digits"], match["tail"].strip()
    lead = lead[1:] if lead.startswith("'") else lead
    in_brackets = lead.count("(") == 1 and tail.count(")") == 1 and "-" not in lead + tail
    if in_brackets:
        lead, tail = lead.replace("(", " ").strip(), tail.replace(")", " ").strip()
    negative, lead = _without_sign(lead.strip())
    if digits[-1] in ".," and tail.startswith("-"):
        tail = tail.lstrip("-").strip()  # 5,- has no cents
    elif not negative:
        negative, tail = _without_trailing_minus(tail)
    if tail[:1] in ("%", "‰"):
        tail = tail[1:].strip()
    factor, tail = _scale(tail, adjacent=not match["tail"].startswith(" "))
    unit = _unit(lead, tail)
    if unit is None:
        return None
    return _Spelled(negative != in_brackets, digits, match["exponent"] or "", factor, unit)


def _unit(lead: str, tail: str) -> str | None:
    """The unit by what stands before and behind a number: "EUR", "GB", "EUR/month", "" without one; None if these are other words."""
    money = currency_in(lead) if lead else ""
    if lead and not money:
        return None
    head, *per = _PER.split(tail, maxsplit=1)
    head = head.rstrip(".")
    currency = currency_in(head)
    if head and not currency and (not _UNIT.fullmatch(head) or head.casefold() in _NO_UNITS or (len(head) == 1 and head.isupper())):
        return None
    if per and not _UNIT.fullmatch(per[0]):
        return None
    if money and head and not (currency and may_be_same(money, currency)):
        return None
    return "/".join([currency or money or head, *(word.rstrip(".") for word in per)])


def _western(text: str, decimal: Decimal | None) -> str:
    text = cleaned(text)
    if text.isascii():
        return text.translate({96: 39})
    if _ARABIC_DECIMAL in text or _ARABIC_GROUP in text:
        mark: Decimal = decimal or "."
        text = text.replace(_ARABIC_GROUP, "").replace(_ARABIC_DECIMAL, mark)
    text = text.translate(_SPELLED)
    return "".join(str(digit_of(character)) if character.isdecimal() else character for character in text)


def _without_sign(lead: str) -> tuple[bool, str]:
    """Whether what stands before a number is negative, and the rest of it."""
    signs = _SIGN.findall(lead)
    if len(signs) != 1 or not (lead[0] in "+-" or lead[-1] in "+-"):
        return False, lead
    return signs[0] == "-", _SIGN.sub("", lead).strip()


def _without_trailing_minus(tail: str) -> tuple[bool, str]:
    """Whether a minus stands behind a number, before or after its unit, and the rest."""
    if tail.endswith("-"):
        return True, tail[:-1].strip()
    if tail.startswith("-") and not tail[1:2].isalpha():
        return True, tail[1:].strip()
    return False, tail


def _scale(tail: str, *, adjacent: bool) -> tuple[float, str]:
    """The factor that a tail such as "k" or "Mio. €" means, and the rest of it."""
    if not tail:
        return 1.0, ""
    word, _, rest = tail.partition(" ")
    sign = word[-1] if currency_in(word[-1]) and len(word) > 1 else ""
    word = word.removesuffix(sign)
    factor = 1e6 if adjacent and word == "M" else _SCALES.get(word.casefold().rstrip("."), 0.0)
    return (factor, f"{sign} {rest}".strip()) if factor else (1.0, tail)


def _is_money(unit: str) -> bool:
    return is_currency(unit.partition("/")[0])


def _same_unit(unit: str, other: str) -> bool:
    """Whether two units are the same: without case, in singular and plural, or of currencies that share a sign. Any currency fits a column
    without a unit."""
    if not other:
        return _is_money(unit)
    (head, _, per), (other_head, _, other_per) = unit.partition("/"), other.partition("/")
    same = may_be_same(head, other_head) if is_currency(head) or is_currency(other_head) else _alike(head, other_head)
    return same and (_alike(per, other_per) or not per)


def _alike(one: str, other: str) -> bool:
    one, other = one.strip().casefold(), other.strip().casefold()
    return one == other or _begin_alike(one, other) >= max(3, max(len(one), len(other)) - 2)


def _grouped(units: Counter[str]) -> dict[str, int]:
    """The rows by unit, with spellings of the same unit under the most frequent one."""
    grouped: dict[str, int] = {}
    for unit, rows in units.most_common():
        name = next((known for known in list(grouped)[:50] if _same_unit(unit, known)), unit)
        grouped[name] = grouped.get(name, 0) + rows
    return grouped


def _begin_alike(one: str, other: str) -> int:
    return next((place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
