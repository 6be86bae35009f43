"""Names, labels and meanings derived from a column's header."""

import re

from retainstream.engine.tables.spelling import cleaned
from retainstream.engine.traps.words import in_ascii, words_of

_KEYS = frozenset({"id", "ids", "uuid", "guid", "key", "pk", "identifier", "hash", "serial", "idx", "index"})
_CONTACTS = frozenset(
    {"phone", "msisdn", "mobile", "email", "mail", "imei", "imsi", "iban", "ssn", "passport", "surname", "lastname", "username"}
)
_WHO = frozenset(
    {"customer", "user", "account", "subscriber", "client", "member", "cust", "row", "contract", "household", "invoice", "order"}
)
_NUMBERED = frozenset({"no", "nr", "num", "number", "code", "ref"})
_PERIODS = frozenset({"month", "period", "snapshot", "week", "quarter", "year", "cohort", "observation", "asof", "batch", "extract"})
_BESIDE_PERIODS = frozenset(
    {"date", "of", "as", "data", "record", "recorded", "report", "row", "taken", "no", "nr", "number", "index", "id", "time"}
)
_OWN_TIME = frozenset(
    {"signup", "sign", "start", "started", "join", "joined", "created", "creation", "birth", "dob", "registration", "registered", "since"}
    | {"activation", "activated", "first", "last", "contract", "renewal", "onboarding", "subscription", "enrolled", "tenure", "age"}
)
_PRICES = (
    "monthlycharge",
    "monthlyprice",
    "monthlyfee",
    "monthlybill",
    "monthlycost",
    "monthlyrevenue",
    "mrr",
    "arpu",
    "price",
    "fee",
    "charge",
)
_UNITS = {word: word for word in ("seconds", "minutes", "hours", "days", "weeks", "months", "years", "percent", "km", "miles")}
_UNITS |= {"secs": "seconds", "mins": "minutes", "hrs": "hours", "pct": "percent", "gb": "GB", "mb": "MB", "kb": "kB"}
_UNITS |= {currency.lower(): currency for currency in ("USD", "EUR", "GBP", "INR", "CHF")}
_LEADS_ON = frozenset({"in", "of", "per", "en", "im", "pro", "par", "de", "by", "for", "to", "with"})
"""Words that do not end a label."""
_CHANGES = frozenset({"change", "changes", "percent", "pct", "perc", "ratio", "share", "rate", "diff", "difference", "delta"})
"""What they measure does not have the unit that stands behind them."""
_ADJECTIVES = frozenset(
    {"monthly", "weekly", "daily", "yearly", "annual", "hourly", "total", "tot", "average", "avg", "mean", "median", "max", "min", "sum"}
    | {"maximum", "minimum", "number", "num", "no", "nr", "count", "free", "used", "unused", "last", "first", "new", "old", "late"}
    | {"extra", "included", "remaining", "current", "previous", "prev", "curr", "active", "inactive", "peak", "this"}
)
_LONG_FORMS = {
    "perc": "percent",
    "pct": "percent",
    "avg": "average",
    "qty": "quantity",
    "amt": "amount",
    "prev": "previous",
    "curr": "current",
}
_LONG_FORMS |= {"chg": "change", "mths": "months", "yrs": "years", "mins": "minutes", "secs": "seconds", "hrs": "hours"}
_UPPER, _LOWER = "A-ZÀ-ÖØ-ÞĀĂĄĆČĎĐĒĖĘĚĞĢĪĮİĶĹĻĽŁŃŅŇŌŐŒŔŘŚŞŠŢŤŪŮŰŲŹŻŽ", "a-zß-öø-ÿāăąćčďđēėęěğģīįıķĺļľłńņňōőœŕřśşšţťūůűųźżž"
_WORDS = re.compile(rf"[{_UPPER}]+(?=[{_UPPER}][{_LOWER}])|[{_UPPER}]?[{_LOWER}]+|[{_UPPER}]+|\d+|[^\W\d_{_UPPER}{_LOWER}]+")
_GROUPS = ("plan", "contract", "tier", "package", "subscriptiontype", "subscription", "membership", "product", "segment")


def name_for(header: str, taken: set[str]) -> str:
    """A valid column name for a header, different from every name in `taken`, also without case."""
    lower = {each.lower() for each in taken}
    name = re.sub(r"[^A-Za-z0-9]+", "_", in_ascii(header)).strip("_") or "column"
    name = f"{'' if name[0].isalpha() else 'c_'}{name}"[:60]
    free, number = name, 2
    while free.lower() in lower:
        free, number = f"{name[:56]}_{number}", number + 1
    return free


def unit_in(header: str) -> str:
    """The unit a header ends with, if any: `tenure_months` → months. It is part of the label where the words before it say nothing alone:
    `MonthlyMinutes`, `Tenure in Months`, `PercChangeMinutes`."""
    words = words_of(header)
    if len(words) < 2 or words[-1] not in _UNITS or words[-2] in _LEADS_ON or words[-2] in _CHANGES:
        return ""
    return "" if set(words[:-1]) <= _ADJECTIVES else _UNITS[words[-1]]


def label_for(header: str, unit: str = "") -> str:
    """A label for people, without the unit: `total_day_calls` → Total day calls. A header of several words stays as people wrote it."""
    written = cleaned(header)
    if unit:
        written = re.sub(rf"[\W_]*{re.escape(_last_word(written))}[\W_]*$", "", written)
    if " " in written.strip() and not written.isupper():
        return (written if any(map(str.isupper, written.split()[0][1:])) else written[0].upper() + written[1:])[:80]
    words = [_LONG_FORMS.get(word.lower(), word) for word in _spelled(written)]
    if not words:
        return written[:80] or "Column"
    shouted = header.isupper() and len(words) > 1
    spoken = [word if word.isupper() and 1 < len(word) <= 4 and not shouted and not header.isupper() else word.lower() for word in words]
    for place, word in enumerate(spoken[:-1]):
        if word == "change" and spoken[place + 1] not in _LEADS_ON:
            spoken.insert(place + 1, "in")
            break
    return (spoken[0][0].upper() + spoken[0][1:] + "".join(f" {word}" for word in spoken[1:]))[:80]


def _spelled(text: str) -> list[str]:
    """The words of a text with their accents: `GrößeKlein` → Größe, Klein."""
    return _WORDS.findall(text)


def _last_word(text: str) -> str:
    return _spelled(text)[-1]


def names_a_key(header: str) -> bool:
    """Whether the header names a key of customers, accounts or contacts."""
    words = words_of(header)
    if not words:
        return False
    joined = "".join(words)
    return (
        words[-1] in _KEYS
        or words[0] in {"id", "uuid", "guid"}
        or bool(_CONTACTS & {*words, joined})
        or (len(words) > 1 and words[-1] in _NUMBERED and words[-2] in _WHO)
        or bool(re.fullmatch(r"(?:customer|user|account|client|subscriber|member|cust)s?(?:id|no|nr|number|ref)", joined))
    )


def names_the_customer(header: str) -> bool:
    """Whether the header names a key of customers."""
    return names_a_key(header) and bool(_WHO & set(words_of(header)) or words_of(header) == ["id"])


def names_a_period(header: str, *, wholly: bool = False) -> bool:
    """Whether a header names the time of the extract. `wholly`: and nothing else (month, but not calls per month)."""
    words = set(words_of(header))
    if words <= _PERIODS | _BESIDE_PERIODS and words & (_PERIODS | {"date"}):
        return True
    return not wholly and bool(_PERIODS & words)


def names_the_day_of_a_row(header: str, *, wholly: bool = False) -> bool:
    """Whether a header names the time of the extract, and not a time of the customer's own such as the start of a contract."""
    return names_a_period(header, wholly=wholly) and not _OWN_TIME & set(words_of(header))


def likely_price(headers: list[str]) -> str | None:
    """The most likely header of the monthly price."""
    return _best(headers, _PRICES)


def likely_group(headers: list[str]) -> str | None:
    """The most likely header of the plan."""
    return _best(headers, _GROUPS)


def _best(headers: list[str], wanted: tuple[str, ...]) -> str | None:
    for part in wanted:
        for header in headers:
            joined = "".join(words_of(header))
            if (
                (joined.startswith(part) or joined.endswith((part, f"{part}s", f"{part}type")))
                and "total" not in joined
                and "count" not in joined
            ):
                return header
    return None
