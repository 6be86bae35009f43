"""Passwords: acceptance, hashing and comparison.

Hashing: argon2id with 19 MiB, two passes and one lane (OWASP Password Storage Cheat Sheet). A password of 8 to 128 characters, counted
after NFKC (NIST SP 800-63B), is accepted unless zxcvbn estimates fewer than a million guesses.
"""

import unicodedata
from collections.abc import Iterable

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

SHORTEST = 8
LONGEST = 128
LONGEST_RAW = 512
FEWEST_GUESSES = 1_000_000
_CHARACTERS_ESTIMATED = 24  # the estimate takes longer than the hash for more, given the right letters

_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1, hash_len=32, salt_len=16)
_NOBODY = f"$argon2id$v=19$m={_hasher.memory_cost},t={_hasher.time_cost},p={_hasher.parallelism}${'A' * 22}${'A' * 43}"


class UnacceptablePassword(ValueError):
    """The password is not accepted. The message gives the reason and never the password; `field` is its name in the request."""

    def __init__(self, reason: str, field: str) -> None:
        super().__init__(reason)
        self.field = field


def check_acceptable(password: str, about_person: Iterable[str] = (), *, field: str = "password") -> None:
    """Checks a new password. `about_person` holds words that an attacker would try first, such as parts of the e-mail address.

    Raises:
        UnacceptablePassword: it is too short, too long, or too easy to guess.
    """
    from zxcvbn import zxcvbn  # loaded late: only a new password needs its word lists

    text = _prepared(password)
    if len(text) < SHORTEST:
        raise UnacceptablePassword(f"has fewer than {SHORTEST} characters", field)
    if len(text) > LONGEST:
        raise UnacceptablePassword(f"has more than {LONGEST} characters", field)
    first_tried = [word[:_CHARACTERS_ESTIMATED] for word in ("retainstream", *about_person)]
    if zxcvbn(text[:_CHARACTERS_ESTIMATED], user_inputs=first_tried)["guesses"] < FEWEST_GUESSES:
        raise UnacceptablePassword("is too easy to guess; a few unrelated words make a good one", field)


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


def is_outdated(stored: str) -> bool:
    """Whether the hash was made with other parameters than today's."""
    return _hasher.check_needs_rehash(stored)


def _prepared(password: str) -> str:
    return unicodedata.normalize("NFKC", password)
