"""Passwords: acceptance, hashing and comparison.

Hashing: argon2id with 19 MiB, two passes and one lane (OWASP Password Storage Cheat Sheet).

A password has 8 to 128 characters, counted after NFKC (NIST SP 800-63B). It is refused when zxcvbn expects to find it within a hundred
million guesses, with its ending or without. The ending is a year or a short number, with marks around it, as in `Summer2026!`. The lists
of zxcvbn hold the 30,000 most common passwords, and 64,000 common words and names.
"""

import re
import string
import unicodedata
from collections.abc import Iterable

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

SHORTEST = 8
LONGEST = 128
LONGEST_RAW = 512
FEWEST_GUESSES = 100_000_000
_CHARACTERS_ESTIMATED = 24  # the estimate takes longer than the hash for more, given the right letters

_SUBSTITUTES = "@$"  # marks that stand for letters: zxcvbn reads them so
_MARKS = rf"[ {re.escape(string.punctuation.translate(dict.fromkeys(map(ord, _SUBSTITUTES))))}]{{0,3}}"
_ENDING = re.compile(rf"(?<=[^\W_]|[{_SUBSTITUTES}]){_MARKS}(?:(?:19|20)\d\d|(?<!\d)\d{{1,3}})?{_MARKS}\Z")

_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1, hash_len=32, salt_len=16)
_NOBODY = f"$argon2id$v=19$m={_hasher.memory_cost},t={_hasher.time_cost},p={_hasher.parallelism}${'A' * 22}${'A' * 43}"


class UnacceptablePassword(ValueError):
    """The password is not accepted. The message gives the reason and never the password; `field` is its name in the request."""

    def __init__(self, reason: str, field: str) -> None:
        super().__init__(reason)
        self.field = field


def check_acceptable(password: str, about_person: Iterable[str] = (), *, field: str = "password") -> None:
    """Checks a new password. `about_person` holds words that an attacker would try first, such as parts of the e-mail address; they count
    as the most common ones.

    Raises:
        UnacceptablePassword: it is too short, too long, or too easy to guess.
    """
    text = _prepared(password)
    if len(text) < SHORTEST:
        raise UnacceptablePassword(f"has fewer than {SHORTEST} characters", field)
    if len(text) > LONGEST:
        raise UnacceptablePassword(f"has more than {LONGEST} characters", field)
    first_tried = ["retainstream", *about_person]
    if any(_guesses(candidate, first_tried) < FEWEST_GUESSES for candidate in {text, _ENDING.sub("", text, count=1)}):
        raise UnacceptablePassword(
            "is too easy to guess: choose a few unrelated words; a year, a number or marks at the end do not count", field
        )


def hashed(password: str) -> str:
    """The stored form of a password: an encoded argon2id hash with its own salt."""
    return _hasher.hash(_prepared(password))


def matches(stored: str | None, password: str) -> bool:
    """Whether the password belongs to the stored hash. Without a hash, or with an unreadable one, the answer is no after the same work."""
    try:
        return _hasher.verify(stored or _NOBODY, _prepared(password)) and stored is not None
    except VerifyMismatchError:
        return False
    except (VerificationError, InvalidHashError, UnicodeEncodeError):
        if stored is None:
            raise
        return matches(None, password)


def same(one: str, other: str) -> bool:
    """Whether two texts are one password."""
    return _prepared(one) == _prepared(other)


def is_outdated(stored: str) -> bool:
    """Whether the hash was made with other parameters than today's."""
    return _hasher.check_needs_rehash(stored)


def _guesses(text: str, first_tried: Iterable[str]) -> float:
    """zxcvbn's estimate for the beginning of a text."""
    from zxcvbn import zxcvbn  # loaded late: only a new password needs its word lists

    words = [word[:_CHARACTERS_ESTIMATED] for word in first_tried]
    return float(zxcvbn(text[:_CHARACTERS_ESTIMATED], user_inputs=words)["guesses"])


def _prepared(password: str) -> str:
    return unicodedata.normalize("NFKC", password)
