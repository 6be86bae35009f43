"""Accounts: made, signed in to, given another password."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from retainstream.accounts import passwords
from retainstream.accounts.email_address import domain_of
from retainstream.accounts.guessing import Guessing, Visitor
from retainstream.accounts.sessions import Session, Sessions
from retainstream.roles import Principal, Role
from retainstream.storage.errors import Conflict
from retainstream.storage.users import User


class RegistrationRefused(Exception):
    """This address may not register here."""


class EmailTaken(Exception):
    """There is an account with this address, perhaps in another spelling."""


class WrongCredentials(Exception):
    """E-mail and password do not belong together, or the user is disabled: which of these is not told."""


class WrongPassword(Exception):
    """The present password was given wrong."""


class UnknownCaller(Exception):
    """The token's user is no longer there, or may no longer do this."""


@dataclass(frozen=True)
class RegistrationPolicy:
    """Who may register: nobody, addresses of one domain, or everybody."""

    mode: Literal["closed", "domain", "open"]
    domain: str = ""

    def admits(self, email: str) -> bool:
        """Whether this normalised address may register."""
        return self.mode == "open" or (self.mode == "domain" and bool(self.domain) and domain_of(email) == self.domain.strip().casefold())


def new_user(email: str, password: str, *, name: str | None = None, role: Role = Role.VIEWER, check_password: bool = True) -> User:
    """A user with a hashed password, not stored yet. `email` is normalised. Without the check any password is taken.

    Raises:
        UnacceptablePassword: the password may not be chosen.
    """
    if check_password:
        passwords.check_acceptable(password, _about(email, name))
    created_at = datetime.now(UTC).isoformat(timespec="seconds")
    return User(email, name or email.partition("@")[0], role, passwords.hashed(password), created_at)


def register(sessions: Sessions, policy: RegistrationPolicy, email: str, password: str, name: str | None) -> Session:
    """Makes a viewer's account and signs it in.

    Raises:
        RegistrationRefused, UnacceptablePassword, EmailTaken
    """
    if not policy.admits(email):
        raise RegistrationRefused
    user = new_user(email, password, name=name)
    try:
        sessions.users.add(user)
    except Conflict as error:
        raise EmailTaken from error
    return sessions.open(user)


def sign_in(sessions: Sessions, guessing: Guessing, visitor: Visitor, email: str, password: str) -> tuple[Session, str]:
    """Opens a session; also returns the id by which the browser is known from now on. Every refusal but a wait takes one password
    comparison, whether or not there is such a user.

    Raises:
        WrongCredentials: this says no more than that.
        TooManyGuesses
    """
    attempt = guessing.sign_in(email, visitor)
    user = sessions.users.get(email)
    right = passwords.matches(user.password_hash if user else None, password)
    if user is None or not right or user.status != "active":
        raise WrongCredentials
    guessing.right(attempt)
    return sessions.open(_rehashed(sessions, user, password)), guessing.known_browser(email, attempt)


def change_password(sessions: Sessions, guessing: Guessing, caller: Principal, current: str, new: str) -> Session:
    """Replaces the caller's password, ends all sessions of the user, and opens a new one.

    Asked again after a try that was cut short, with what is by then the password as the new one, it does what that try left undone.

    Raises:
        UnknownCaller, WrongPassword, UnacceptablePassword, TooManyGuesses
    """
    user = known(sessions, caller)
    attempt = guessing.change_of_password(user.email)
    if passwords.matches(user.password_hash, current):
        user = _with_password(sessions, user, new)
    elif not passwords.matches(user.password_hash, new):
        raise WrongPassword
    guessing.right(attempt)
    sessions.changed(user)
    session = sessions.open(user)
    sessions.close(caller)
    return session


def _with_password(sessions: Sessions, user: User, new: str) -> User:
    passwords.check_acceptable(new, _about(user.email, user.name), field="new_password")
    try:
        return sessions.users.change_password(user, passwords.hashed(new), tokens_valid_from=sessions.first_moment_after_now())
    except Conflict as error:
        raise WrongPassword from error


def known(sessions: Sessions, caller: Principal) -> User:
    """The stored user who calls.

    Raises:
        UnknownCaller: no such user, or disabled since the token was looked at.
    """
    user = sessions.users.get(caller.user_id)
    if user is None or user.status != "active":
        raise UnknownCaller
    return user


def _rehashed(sessions: Sessions, user: User, password: str) -> User:
    if not passwords.is_outdated(user.password_hash):
        return user
    try:
        return sessions.users.rehash(user, passwords.hashed(password))
    except Conflict:
        return user


def _about(email: str, name: str | None) -> list[str]:
    local, _, domain = email.partition("@")
    return [email, local, *local.replace("+", ".").split("."), *domain.split("."), *(name or "").split()]
