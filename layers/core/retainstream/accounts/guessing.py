"""The limit on guessing passwords, per account and per network address.

An attempt counts as wrong before the passwords are compared, so simultaneous attempts cannot exceed the allowance. Above the allowance each
further wrong password doubles the wait for the next one, up to a quarter of an hour. During a wait the right password is refused too, since
the wait would otherwise not slow a guesser. Wrong passwords are forgotten one by one as time passes; those of an account are forgotten
together when its password was right. An address without an account is treated in the same way, so a wait reveals nothing.

The limit locks no user out: a browser that was used to sign in carries a random id and has an allowance of its own for that account, which
others cannot use up (OWASP's device cookies). The id alone gives no access.
"""

import hashlib
import math
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from retainstream.storage.errors import Conflict, StorageUnavailable
from retainstream.storage.guesses import Guesses, GuessRecords
from retainstream.storage.retry import attempts

LONGEST_WAIT_SECONDS = 15 * 60
BROWSER_KNOWN_SECONDS = 180 * 24 * 3600
_ATTEMPTS = 100


class TooManyGuesses(Exception):
    """The password was not compared. The next attempt is possible after `seconds`."""

    def __init__(self, seconds: int) -> None:
        super().__init__(seconds)
        self.seconds = seconds


@dataclass(frozen=True)
class Allowance:
    """The number of wrong passwords without a wait. One is forgotten every `forget_one_in` seconds."""

    at_once: int
    forget_one_in: int

    def after_another(self, guesses: Guesses, now: float) -> Guesses:
        """The record after one more wrong password.

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
        """The record when the attempt that made it `taken` was right after all. Waits by other attempts remain."""
        ended = guesses.wait_until == taken.wait_until
        return replace(
            guesses, forgotten_at=max(0, guesses.forgotten_at - self.forget_one_in), wait_until=0 if ended else guesses.wait_until
        )


@dataclass(frozen=True)
class Visitor:
    """The origin of a sign-in: the network address, and the browser's id where it has one."""

    address: str
    browser: str | None = None


@dataclass(frozen=True)
class _Counted:
    subject: str
    allowance: Allowance
    taken: Guesses


@dataclass(frozen=True)
class Attempt:
    """A password that may be compared now. It counts as wrong until `Guessing.right` is called."""

    own: _Counted
    shared: _Counted | None = None
    browser: str | None = None


@dataclass(frozen=True)
class Guessing:
    """The limit of one stack. Its digests are made with `key`, so that nobody without the key finds an address by trying.

    Every method raises StorageUnavailable when the table does not answer.
    """

    account: Allowance
    address: Allowance
    key: bytes
    records: GuessRecords = field(default_factory=GuessRecords)
    clock: Callable[[], float] = time.time

    def sign_in(self, email: str, visitor: Visitor) -> Attempt:
        """Counts an attempt to sign in, whether or not the account exists.

        Raises:
            TooManyGuesses
        """
        if visitor.browser and (known := self.known(email, visitor.browser)):
            return Attempt(self._count(known, self.account), browser=visitor.browser)
        shared = self._count(f"address#{visitor.address}", self.address)
        try:
            return Attempt(self._count(f"account#{self._digest(email)}", self.account), shared)
        except TooManyGuesses:
            self._take_back(shared)
            raise

    def known(self, email: str, browser: str) -> str | None:
        """The subject under which a browser's attempts for an account are counted; None when nobody has signed in with both before."""
        subject = self._browser(email, browser)
        return subject if self.records.get(subject).known_until > self.clock() else None

    def change_of_password(self, email: str) -> Attempt:
        """Counts an attempt to enter the present password while signed in. It is counted apart from sign-ins.

        Raises:
            TooManyGuesses
        """
        return Attempt(self._count(f"password#{self._digest(email)}", self.account))

    def right(self, attempt: Attempt) -> None:
        """Records that the password was right: the account's wrong ones are forgotten, and this attempt does not count for its address."""
        self.records.put(attempt.own.subject, Guesses(known_until=attempt.own.taken.known_until))
        if attempt.shared:
            self._take_back(attempt.shared)

    def known_browser(self, email: str, attempt: Attempt) -> str:
        """The id of the browser of a successful sign-in, from now on known for this account."""
        browser = attempt.browser or secrets.token_urlsafe(16)
        self.records.put(self._browser(email, browser), Guesses(known_until=int(self.clock()) + BROWSER_KNOWN_SECONDS))
        return browser

    def _count(self, subject: str, allowance: Allowance) -> _Counted:
        taken = self._change(subject, lambda guesses: allowance.after_another(guesses, self.clock()))
        return _Counted(subject, allowance, taken)

    def _take_back(self, counted: _Counted) -> None:
        self._change(counted.subject, lambda guesses: counted.allowance.without_it(guesses, counted.taken))

    def _change(self, subject: str, change: Callable[[Guesses], Guesses]) -> Guesses:
        for _ in attempts(_ATTEMPTS):
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
        return hashlib.blake2b(text.encode(), digest_size=20, key=self.key).hexdigest()
