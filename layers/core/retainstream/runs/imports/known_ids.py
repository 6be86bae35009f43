"""Ids of a file that differ from known ones in nothing but case, leading zeros or ".0", as spreadsheets leave them.

A sample of the file's ids is looked up, so that the cost does not depend on the number of customers.
"""

import hashlib
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypedDict

from retainstream.engine.schema import FeatureSchema
from retainstream.engine.schema.customer_id import id_problem
from retainstream.engine.tables.binding import bind
from retainstream.engine.tables.parts import BrokenRecord, LayoutDocument, part_of
from retainstream.engine.tables.spelling import cleaned
from retainstream.runs.imports.work import Part, get_document, put_document
from retainstream.storage.errors import NotStored
from retainstream.storage.stores import Stores
from retainstream.storage.uploads import StoredFile

SAMPLED = 500
"""Ids of a file that are looked up."""
_PROBED = 40
"""Unknown ids with which spellings are tried."""
_SAMPLED_BYTES = 2 << 20
_SAMPLED_PARTS = 8
_LONGEST_PADDED = 16
_ASKED_FROM = 0.01
"""The share of the new ids of a sample that has to be known in another spelling, so that somebody is asked."""
_EXAMPLES = 3

_POINT_ZERO = re.compile(r"([0-9]+)[.,]0+")
_DIGITS = re.compile(r"[0-9]+")


class SpellingRecord(TypedDict):
    """A `Spelling` as JSON."""

    point: Literal["", "drop", "add"]
    digits: int | None
    case: Literal["", "lower", "upper"]


@dataclass(frozen=True)
class Spelling:
    """How ids of a file have to be spelled. `digits`: leading zeros go (0), or numbers have so many digits; None leaves them."""

    point: Literal["", "drop", "add"] = ""
    digits: int | None = None
    case: Literal["", "lower", "upper"] = ""

    def __call__(self, text: str) -> str:
        if self.point == "drop" and (match := _POINT_ZERO.fullmatch(text)):
            text = match[1]
        if self.digits is not None and _DIGITS.fullmatch(text):
            text = (text.lstrip("0") or "0").zfill(self.digits)
        if self.point == "add" and _DIGITS.fullmatch(text):
            text += ".0"
        return text.lower() if self.case == "lower" else text.upper() if self.case == "upper" else text

    @property
    def words(self) -> str:
        """How the known ids differ, as in "with leading zeros and without .0"."""
        said = []
        if self.digits is not None:
            said.append("with leading zeros" if self.digits else "without leading zeros")
        if self.point:
            said.append("without .0" if self.point == "drop" else "with .0")
        if self.case:
            said.append(f"in {'small' if self.case == 'lower' else 'capital'} letters")
        return " and ".join(said)

    @property
    def record(self) -> SpellingRecord:
        return SpellingRecord(point=self.point, digits=self.digits, case=self.case)


class Reshaped(NamedTuple):
    """The spelling in which ids of a file are known, the sentence that says so, and examples: "1 is 000001"."""

    spelling: Spelling
    sentence: str
    examples: list[str]


class Sample(NamedTuple):
    """Ids of a file, without repeats; `whole`: they are all ids of the file."""

    ids: list[str]
    whole: bool


type Known = Callable[[Iterable[str]], Collection[str]]
"""Returns those of some ids that are stored."""


def canonical(text: str) -> str:
    """What ids that differ in case, leading zeros or .0 have in common."""
    match = _POINT_ZERO.fullmatch(text)
    text = match[1] if match else text
    return (text.lstrip("0") or "0") if _DIGITS.fullmatch(text) else text.casefold()


def sample_of(stores: Stores, file: StoredFile, parts: Sequence[Part], layout: LayoutDocument, schema: FeatureSchema) -> Sample:
    """Ids from the beginnings of some parts of a file. Of many ids those with the smallest digests of what their spellings share are
    kept, so that all spellings of a customer are in the sample, or none."""
    step = max(1, -(-len(parts) // _SAMPLED_PARTS))
    chosen = parts[::step]
    most = _SAMPLED_BYTES // max(1, len(chosen))
    spellings: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for part in chosen:
        for text in _ids_of(stores, file, part, layout, schema, most):
            spellings[canonical(text)][text] = None
    whole = step == 1 and all(part.end - part.start <= most for part in parts)
    shared = sorted(spellings, key=lambda text: hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest())
    ids = [text for name in shared[:SAMPLED] for text in spellings[name]]
    return Sample(ids[: 2 * SAMPLED], whole and len(shared) <= SAMPLED)


def _ids_of(stores: Stores, file: StoredFile, part: Part, layout: LayoutDocument, schema: FeatureSchema, most: int) -> Iterator[str]:
    table = part_of(layout, stores.uploads.open(file, part.start, part.end), part.place)
    place = bind(schema, table.header, source=table.source, partial=True, label_needed=False).id
    if place is None:
        return
    for _, record in table.records():
        if not isinstance(record, BrokenRecord) and not id_problem(text := cleaned(record[place])):
            yield text
        if table.splitter.place.offset - part.start >= most:
            return


def reshaped(sample: Sample, known: Known) -> Reshaped | None:
    """Whether the new customers of a sample are known in another spelling, or are in the file in two of them."""
    stored = known(sample.ids)
    new = [text for text in sample.ids if text not in stored]
    if not new:
        return None
    return _known_otherwise(sample, new, known) or _twice_in_file(sample, new)


def _known_otherwise(sample: Sample, new: Sequence[str], known: Known) -> Reshaped | None:
    """The spelling in which most of the new customers are known, if there is one."""
    step = max(1.0, len(new) / _PROBED)
    probes = [new[int(place * step)] for place in range(min(_PROBED, len(new)))]
    images = {spelling: {image for text in probes if (image := spelling(text)) != text} for spelling in _SPELLINGS}
    stored = known({image for spelled in images.values() for image in spelled})
    likely = [spelling for spelling, spelled in images.items() if not spelled.isdisjoint(stored)]
    stored = known({image for spelling in likely for text in new if (image := spelling(text)) != text})
    hits = {spelling: [text for text in new if (image := spelling(text)) != text and image in stored] for spelling in likely}
    if not hits:
        return None
    spelling = max(hits, key=lambda spelling: (len(hits[spelling]), -len(spelling.words)))
    same = hits[spelling]
    if len(same) < _ASKED_FROM * len(new):
        return None
    known_as = f"of whom {len(same):,} {_are(len(same))} known {spelling.words}"
    said = f"{_customers(len(new), 'new')}, {known_as}"
    if not sample.whole:
        said = f"Of {len(sample.ids):,} ids that were looked up, {len(new):,} are new, {known_as}"
    return Reshaped(spelling, said, [f"{text} is {spelling(text)}" for text in same[:_EXAMPLES]])


def _twice_in_file(sample: Sample, new: Sequence[str]) -> Reshaped | None:
    """The spelling that new customers share who are in the file in several spellings."""
    spelled: dict[str, list[str]] = {}
    for text in new:
        spelled.setdefault(canonical(text), []).append(text)
    twice = [texts for texts in spelled.values() if len(texts) > 1]
    others = sum(len(texts) - 1 for texts in twice)
    if not others or others < _ASKED_FROM * len(new):
        return None
    texts = [text for texts in twice for text in texts]
    padded = [len(text) for text in texts if _DIGITS.fullmatch(text) and text.startswith("0")]
    letters = {text for text in texts if not (_DIGITS.fullmatch(text) or _POINT_ZERO.fullmatch(text))}
    spelling = Spelling(
        "drop" if any(map(_POINT_ZERO.fullmatch, texts)) else "",
        max(padded) if padded else None,
        ("upper" if 2 * sum(text == text.upper() for text in letters) > len(letters) else "lower") if letters else "",
    )
    differing = [
        words for words, differs in (("leading zeros", padded), (".0", spelling.point), ("the case of letters", letters)) if differs
    ]
    said = f"{_customers(others, '')} differ{'s' if others == 1 else ''} from others of the file in {' and '.join(differing)} alone"
    if not sample.whole:
        said = f"Among {len(sample.ids):,} ids that were looked up, {said}"
    return Reshaped(spelling, said, [" and ".join(texts) for texts in twice[:_EXAMPLES]])


def _spellings() -> Iterator[Spelling]:
    for digits in (None, *range(_LONGEST_PADDED + 1)):
        if digits != 1:  # the same as without leading zeros
            yield Spelling("drop", digits)
            if digits is not None:
                yield Spelling("", digits)
    yield Spelling("add")
    yield Spelling("add", 0)
    yield Spelling("", None, "lower")
    yield Spelling("", None, "upper")


_SPELLINGS = tuple(_spellings())


def keep_spelling(stores: Stores, import_id: str, spelling: Spelling) -> None:
    """Keeps the spelling that all ids of an import get."""
    put_document(stores, import_id, "ids.json", spelling.record)


def kept_spelling(stores: Stores, import_id: str) -> Spelling | None:
    """The spelling that all ids of an import get; None where they stay as they are written."""
    try:
        record: SpellingRecord = get_document(stores, import_id, "ids.json")
    except NotStored:
        return None
    return Spelling(**record)


def _customers(number: int, kind: str) -> str:
    return f"{number:,} {kind} customer{'' if number == 1 else 's'}".replace("  ", " ")


def _are(number: int) -> str:
    return "is" if number == 1 else "are"
