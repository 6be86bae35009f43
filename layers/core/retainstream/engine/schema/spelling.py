"""Texts that look the same, compared as the same: headers, levels, words of an outcome, ids."""

import re
from collections.abc import Iterable
from unicodedata import normalize

_INVISIBLE = re.compile(
    "[\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb]"
    "|(?<![\u0600-\U0010ffff])[\u200c\u200d]|[\u200c\u200d](?![\u0600-\U0010ffff])"
)
"""Format characters. A joiner stays between characters of scripts that join (and between emoji), where it is visible."""


def cleaned(text: str) -> str:
    """The text as a person sees it: composed characters (NFC), none invisible, each run of white space one blank, none at the ends."""
    if not text.isascii():
        text = _INVISIBLE.sub("", normalize("NFC", text))
    return text if text.isalnum() else " ".join(text.split())


def folded(text: str) -> str:
    """The cleaned text without upper and lower case."""
    return cleaned(text).casefold()


class Spellings:
    """Names that a file may spell otherwise."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names: dict[str, str] = {}
        cleaned_names, folded_names = dict[str, set[str]](), dict[str, set[str]]()
        for name in names:
            self._names[name] = name
            cleaned_names.setdefault(cleaned(name), set()).add(name)
            folded_names.setdefault(folded(name), set()).add(name)
        self._cleaned = {spelled: same.pop() for spelled, same in cleaned_names.items() if len(same) == 1}
        self._folded = {spelled: same.pop() for spelled, same in folded_names.items() if len(same) == 1}

    def name_of(self, text: str) -> str | None:
        """The name that a text spells: the same text, or else the only name that looks the same, or else the only one that differs in
        upper and lower case. None if there is no such name."""
        if (name := self._names.get(text)) is not None:
            return name
        spelled = cleaned(text)
        return self._cleaned.get(spelled) or self._folded.get(spelled.casefold())
