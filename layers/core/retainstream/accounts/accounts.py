"""Accounts: registration, sign-in, and change of password."""

import re
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
    """The address may not register."""


class EmailTaken(Exception):
    """An account has this address, perhaps in another spelling."""


class WrongCredentials(Exception):
    """E-mail or password is wrong, or the user is disabled; the error does not say which."""


class WrongPassword(Exception):
    """The present password in the request is wrong."""


class UnknownCaller(Exception):
    """The token's user does not exist any more, or lacks the role."""


@dataclass(frozen=True)
class RegistrationPolicy:
    """The addresses that may register: none, those of one domain, or all."""

    mode: Literal["closed", "domain", "open"]
    domain: str = ""

    def admits(self, email: str) -> bool:
        """Whether this normalised address may register."""
        return self.mode == "open" or (self.mode == "domain" and bool(self.domain) and domain_of(email) == self.domain.strip().casefold())


def new_user(
    email: str,
    password: str,
    *,
    name: str | None = None,
    role: Role = Role.VIEWER,
    check_password: bool = True,
    must_change_password: bool = False,
) -> User:
    """A user with a hashed password, not stored yet. `email` is normalised. Without the check every password is accepted.

    Raises:
        UnacceptablePassword: the password is not accepted.
    """
    if check_password:
        passwords.check_acceptable(password, _about(email, name))
    created_at = datetime.now(UTC).isoformat(timespec="seconds")
    return User(
        email,
        name or email.partition("@")[0],
        role,
        passwords.hashed(password),
        created_at,
        must_change_password=must_change_password,
    )


def register(sessions: Sessions, policy: RegistrationPolicy, email: str, password: str, name: str | None) -> Session:
    """Creates a viewer's account and signs in.

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
    """Opens a session, and returns it with the browser's id. Every refusal except a wait takes one password comparison, whether or not the
    user exists.

    Raises:
        WrongCredentials: e-mail or password is wrong, or the user is disabled.
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

    The same request after an interrupted one completes it, although the new password is then the present one. The token that made the
    change proves that it is the same request, so `new` is no second guess at the password.

    Raises:
        UnknownCaller, WrongPassword, UnacceptablePassword, TooManyGuesses
    """
    user = known(sessions, caller)
    attempt = guessing.change_of_password(user.email)
    if passwords.matches(user.password_hash, current):
        if passwords.same(current, new):
            raise passwords.UnacceptablePassword("is your current password; choose another one", "new_password")
        user = _with_password(sessions, caller, user, new)
    elif user.password_changed_with != caller.token_id or not passwords.matches(user.password_hash, new):
        raise WrongPassword
    guessing.right(attempt)
    sessions.changed(user)
    session = sessions.open(user)
    sessions.close(caller)
    return session


def _with_password(sessions: Sessions, caller: Principal, user: User, new: str) -> User:
    passwords.check_acceptable(new, _about(user.email, user.name), field="new_password")
    try:
        return sessions.users.change_password(
            user, passwords.hashed(new), tokens_valid_from=sessions.first_moment_after_now(), changed_with=caller.token_id
        )
    except Conflict as error:
        raise WrongPassword from error


def known(sessions: Sessions, caller: Principal) -> User:
    """The stored user of a caller.

    Raises:
        UnknownCaller: the user does not exist, or was disabled since the token was verified.
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
    """The words that an attacker tries first: the address and the name, whole and in parts."""
    return [email, *email.split("@"), *re.findall(r"[^\W_]+", f"{email} {name or ''}")]
