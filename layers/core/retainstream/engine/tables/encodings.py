"""The encoding of a text file, by the words in it that are not ASCII.

UTF-8 is recognised by its form. Of the code pages that a spreadsheet writes, the script is recognised by charset-normalizer, and the code
page of a language by its letters: on the few distinct words of a table, general statistics confuse the pages of Europe.
"""

import re
from collections import Counter
from itertools import pairwise

_DISTINCT_WORDS = 400
_FEWEST_SHARE = 0.7
"""Where a smaller share of the letters fits a language, the encoding is not recognised."""

NAMES = {
    "cp1250": "Windows-1250 (Central European)",
    "cp1251": "Windows-1251 (Cyrillic)",
    "cp1252": "Windows-1252",
    "cp1253": "Windows-1253 (Greek)",
    "cp1254": "Windows-1254 (Turkish)",
    "cp1255": "Windows-1255 (Hebrew)",
    "cp1256": "Windows-1256 (Arabic)",
    "cp1257": "Windows-1257 (Baltic)",
    "cp874": "Windows-874 (Thai)",
    "cp932": "Windows-932 (Shift JIS)",
    "cp949": "Windows-949 (Korean)",
    "cp850": "code page 850 (DOS)",
    "cp852": "code page 852 (DOS)",
    "cp866": "code page 866 (DOS)",
    "big5": "Big5",
    "euc_jp": "EUC-JP",
    "gb18030": "GBK (GB 18030)",
    "iso8859_2": "ISO 8859-2",
    "koi8_r": "KOI8-R",
    "mac_roman": "Mac Roman",
    "utf-8": "UTF-8",
    "utf-8-sig": "UTF-8",
    "utf-16": "UTF-16",
    "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16",
}
"""Encodings as people call them."""

_WESTERN, _CENTRAL, _CYRILLIC = ("cp1252", "cp850", "mac_roman"), ("cp1250", "iso8859_2", "cp852"), ("cp1251", "koi8_r", "cp866")
_LANGUAGES = (
    (_WESTERN, "äöüß"),
    (_WESTERN, "àâæçèéêëîïôœùûü"),
    (_WESTERN, "áéíñóúüç¿¡ªº"),
    (_WESTERN, "ãâáàçéêíóôõú"),
    (_WESTERN, "àèéìíîòóù"),
    (_WESTERN, "åäöæøéü"),
    (_WESTERN, "áðéíóúýþæö"),
    (_CENTRAL, "ąćęłńóśźż"),
    (_CENTRAL, "áčďéěíňóřšťúůýž"),
    (_CENTRAL, "áäčďéíĺľňóôŕšťúýž"),
    (_CENTRAL, "áéíóöőúüű"),
    (_CENTRAL, "čćđšž"),
    (_CENTRAL, "ăâîşţ"),
    (("cp1254",), "çğıİöşüâî"),
    (("cp1257",), "ąčęėįšųūž"),
    (("cp1257",), "āčēģīķļņšūž"),
    (_CYRILLIC, "абвгдежзийклмнопрстуфхцчшщъыьэюяё"),
    (("cp1251",), "абвгґдеєжзиіїйклмнопрстуфхцчшщьюя"),
    (("cp1251",), "абвгдђежзијклљмнњопрстћуфхцчџш"),
    (("cp1255",), "אבגדהוזחטיךכלםמןנסעףפץצקרשת"),
    (("cp1253",), "αβγδεζηθικλμνξοπρσςτυφχψωάέήίόύώϊϋΐΰ"),
    (("cp1256",), "ءآأؤإئابةتثجحخدذرزسشصضطظعغفقكلمنهوىيپچژگ"),
)
_VOWELS = frozenset("аеиоуыэюяёіїєαεηιουωάέήίόύώ")
_LEAST_VOWELS = 0.3
"""The share of vowels below which words in Cyrillic or Greek letters are none of these languages."""
_SIGNS = frozenset("€£§°²«»–—‘’‚“”„…•™®©\u00a0·№")
_ONE_BYTE = sorted(dict.fromkeys(encoding for encodings, _ in _LANGUAGES for encoding in encodings), key=lambda name: name[:5] != "cp125")
"""In the order of preference: the code pages of Windows first."""
_WITH_VOWELS = (*_CYRILLIC, "cp1253")
_SEVERAL_BYTES = ("cp932", "gb18030", "cp949", "big5", "euc_jp", "cp874")
_SEPARATORS = re.compile(rb"[,;\t\r\n\"]+")
_LATIN_BESIDE_OTHERS = re.compile(r"[a-zA-Z][^\x00-\x7f]|[^\x00-\x7f][a-zA-Z]")
_NO_LETTER_AFTER = re.compile(rb"[\x80-\xff][^a-zA-Z ]")
_SHAPELESS = re.compile(r"[^\W\d_][£§°²³®©™•·¢¤¥¦¨ª¬¯±´µ¶¸¹º¼½¾]+[^\W\d_]|[£€][^\W\d_]|[a-zA-Z][\u0370-\u06ff]|[\u0370-\u06ff][a-zA-Z]")


def name_of(encoding: str) -> str:
    """An encoding as people call it."""
    return NAMES.get(encoding, encoding)


def encoding_of(sample: bytes) -> str:
    """The encoding of a text without a byte order mark: "utf-8", also where some of its lines are not; else the code page; "" where it is
    not recognised."""
    words = [word for word in dict.fromkeys(_SEPARATORS.split(sample)) if not word.isascii()][:_DISTINCT_WORDS]
    if not words or 2 * sum(map(_is_utf_8, words)) >= len(words):
        return "utf-8"
    script = _script_of(b"\n".join(words))
    fits = {encoding: _fit(words, encoding) for encoding in _ONE_BYTE}
    best = max(_ONE_BYTE, key=lambda encoding: fits[encoding])
    fitting = best if fits[best] >= _FEWEST_SHARE else ""
    if script in _SEVERAL_BYTES and not (fitting and 2 * sum(_is_accented(word, script, fitting) for word in words) > len(words)):
        return script
    return fitting


def wide_encoding_of(sample: bytes) -> str:
    """UTF-16 without a byte order mark, by the places of its zero bytes and by its line ends; "" for other bytes."""
    pairs = len(sample) // 2
    even, odd = sample[0 : 2 * pairs : 2].count(0), sample[1 : 2 * pairs : 2].count(0)
    wide = "utf-16-le" if odd > 0.4 * pairs and even < 0.05 * pairs else "utf-16-be" if even > 0.4 * pairs and odd < 0.05 * pairs else ""
    return wide if wide and "\n" in sample.decode(wide, "ignore") else ""


def _is_utf_8(word: bytes) -> bool:
    try:
        word.decode()
    except UnicodeDecodeError:
        return False
    return True


def _script_of(text: bytes) -> str:
    """The encoding that charset-normalizer takes a text for."""
    from charset_normalizer import from_bytes

    match = from_bytes(text, cp_isolation=[*_SEVERAL_BYTES, *_ONE_BYTE]).best()
    return match.encoding if match else ""


def _fit(words: list[bytes], encoding: str) -> float:
    """The share of letters that one language explains, less the share of words in which signs stand between letters or capitals follow
    small letters; -1 where the text cannot be in the encoding."""
    try:
        texts = [word.decode(encoding) for word in words]
    except UnicodeDecodeError:
        return -1.0
    letters = Counter(letter for text in texts for letter in text if not letter.isascii())
    total = letters.total()
    signs = sum(count for letter, count in letters.items() if letter in _SIGNS)

    def explained(alphabet: str) -> int:
        both = frozenset(alphabet + alphabet.upper())
        return sum(count for letter, count in letters.items() if letter in both)

    best = max(explained(alphabet) for encodings, alphabet in _LANGUAGES if encoding in encodings)
    faults = sum(map(_is_misshapen, texts)) / len(texts)
    if encoding in _WITH_VOWELS:
        faults += max(0.0, _LEAST_VOWELS - sum(count for letter, count in letters.items() if letter.lower() in _VOWELS) / total)
    return (best + signs) / total - faults


def _is_accented(word: bytes, script: str, encoding: str) -> bool:
    """Whether a word has accented letters among Latin ones (Köln), which a code page of several bytes turns into Chinese signs."""
    letters = word.decode(encoding)
    return (
        _LATIN_BESIDE_OTHERS.search(word.decode(script, "replace")) is not None
        and not _NO_LETTER_AFTER.search(word)
        and all(letter.isascii() or letter.isalpha() for letter in letters)
    )


def _is_misshapen(text: str) -> bool:
    return _SHAPELESS.search(text) is not None or any(
        before.islower() and after.isupper() and not (before.isascii() and after.isascii()) for before, after in pairwise(text)
    )
