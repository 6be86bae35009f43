"""How fast passwords may be guessed: slowly, whoever's they are, wherever from, and however many ask at once.

Wrong passwords are counted per account and per address before they are compared, so that of many sent at once no more are
compared than are allowed. Above the allowance each further one doubles the wait for the next, up to a quarter of an hour; a right
password is refused during a wait like any other, or the wait would hold up nobody who guesses. Wrong passwords are forgotten one by
one as time passes, and those of an account all at once when its password was right. An address nobody has an account with is
treated the same, so nothing is learnt from a wait.

Nobody is locked out by it: a browser somebody signed in with before carries a random id, and has an allowance of its own for that
account, which nobody else can use up (OWASP's device cookies). The id opens nothing.
"""

import hashlib
import math
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from retainstream.storage.errors import Conflict, StorageUnavailable
from retainstream.storage.guesses import Guesses, GuessRecords

LONGEST_WAIT_SECONDS = 15 * 60
BROWSER_KNOWN_SECONDS = 180 * 24 * 3600
_ATTEMPTS = 100


class TooManyGuesses(Exception):
    """The password was not even looked at; the next one will be after `seconds`."""

    def __init__(self, seconds: int) -> None:
        super().__init__(seconds)
        self.seconds = seconds


@dataclass(frozen=True)
class Allowance:
    """So many wrong passwords without a wait; one is forgotten every `forget_one_in` seconds."""

    at_once: int
    forget_one_in: int

    def after_another(self, guesses: Guesses, now: float) -> Guesses:
        """What is remembered after one more wrong password.

        Raises:
            TooManyGuesses: a wait is not over.
        """
        if now < guesses.wait_until:
            raise TooManyGuesses(math.ceil(guesses.wait_until - now))
        second = math.ceil(now)
        forgotten_at = max(guesses.forgotten_at, second) + self.forget_one_in
        beyond = math.ceil((forgotten_at - second) / self.forget_one_in) - self.at_once
        wait = min(LONGEST_WAIT_SECONDS, 2 ** min(beyond - 1, 30)) if beyond > 0 else 0
        return replace(guesses, forgotten_at=forgotten_at, wait_until=second + wait if wait else 0)

    def without_it(self, guesses: Guesses, taken: Guesses) -> Guesses:
        """What is remembered when the one that made it `taken` was not wrong after all. Waits that others brought about remain."""
        ended = guesses.wait_until == taken.wait_until
        return replace(
            guesses, forgotten_at=max(0, guesses.forgotten_at - self.forget_one_in), wait_until=0 if ended else guesses.wait_until
        )


@dataclass(frozen=True)
class Visitor:
    """Who wants to sign in, as far as one can tell: the network address, and the id of a browser that brought one."""

    address: str
    browser: str | None = None


@dataclass(frozen=True)
class _Counted:
    subject: str
    allowance: Allowance
    taken: Guesses


@dataclass(frozen=True)
class Attempt:
    """A password that may be compared now, counted as a wrong one until `Guessing.right` says otherwise."""

    own: _Counted
    shared: _Counted | None = None
    browser: str | None = None


@dataclass(frozen=True)
class Guessing:
    """`secret` keeps apart the digests of different stacks. Every method raises StorageUnavailable when the table does not answer."""

    account: Allowance
    address: Allowance
    secret: str
    records: GuessRecords = field(default_factory=GuessRecords)
    clock: Callable[[], float] = time.time

    def sign_in(self, email: str, visitor: Visitor) -> Attempt:
        """Counts an attempt to sign in to an account, which there need not be.

        Raises:
            TooManyGuesses
        """
        if visitor.browser and self.records.get(self._browser(email, visitor.browser)).known_until > self.clock():
            return Attempt(self._count(self._browser(email, visitor.browser), self.account), browser=visitor.browser)
        shared = self._count(f"address#{visitor.address}", self.address)
        try:
            return Attempt(self._count(f"account#{self._digest(email)}", self.account), shared)
        except TooManyGuesses:
            self._take_back(shared)
            raise

    def change_of_password(self, email: str) -> Attempt:
        """Counts an attempt to name the present password of whoever is signed in. Waits of those who sign in have no part in it.

        Raises:
            TooManyGuesses
        """
        return Attempt(self._count(f"password#{self._digest(email)}", self.account))

    def right(self, attempt: Attempt) -> None:
        """The password was right: the account's wrong ones are forgotten, and this one was none of its address."""
        self.records.put(attempt.own.subject, Guesses(known_until=attempt.own.taken.known_until))
        if attempt.shared:
            self._take_back(attempt.shared)

    def known_browser(self, email: str, attempt: Attempt) -> str:
        """The id of the browser with which somebody just signed in, from now on known for this account."""
        browser = attempt.browser or secrets.token_urlsafe(16)
        self.records.put(self._browser(email, browser), Guesses(known_until=int(self.clock()) + BROWSER_KNOWN_SECONDS))
        return browser

    def _count(self, subject: str, allowance: Allowance) -> _Counted:
        taken = self._change(subject, lambda guesses: allowance.after_another(guesses, self.clock()))
        return _Counted(subject, allowance, taken)

    def _take_back(self, counted: _Counted) -> None:
        self._change(counted.subject, lambda guesses: counted.allowance.without_it(guesses, counted.taken))

    def _change(self, subject: str, change: Callable[[Guesses], Guesses]) -> Guesses:
        for _ in range(_ATTEMPTS):
            seen = self.records.get(subject)
            changed = change(seen)
            try:
                self.records.replace(subject, seen, changed)
            except Conflict:
                continue
            return changed
        raise StorageUnavailable("too many passwords for one account or address at the same moment")

    def _browser(self, email: str, browser: str) -> str:
        return f"browser#{self._digest(f'{browser} {email}')}"

    def _digest(self, text: str) -> str:
        key = hashlib.blake2b(self.secret.encode()).digest()
        return hashlib.blake2b(text.encode(), digest_size=20, key=key).hexdigest()
