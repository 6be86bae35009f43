"""Administration of other users' accounts."""

import hashlib
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from retainstream.accounts.accounts import EmailTaken, UnknownCaller, known, new_user
from retainstream.accounts.sessions import Sessions
from retainstream.roles import Principal, Role
from retainstream.storage.errors import Conflict
from retainstream.storage.users import AdministratorExists, NoAdministratorLeft, Status, User, Users


class UnknownUser(LookupError):
    """No account has this address."""


class LastAdministrator(Exception):
    """The change would leave no active administrator."""


class ChangedMeanwhile(Exception):
    """Another request changed the account first."""


@dataclass(frozen=True)
class Place:
    """A place in the list of users: after the user created at this time. The digest distinguishes users of the same second."""

    created_at: Annotated[str, Field(max_length=40)]
    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{24}$")]


def page_of_users(users: Users, *, after: Place | None, limit: int) -> tuple[list[User], Place | None]:
    """Users, oldest first, and the place after which the next page begins. A place may be in a URL, since it does not hold the address."""
    ordered = sorted(users.everyone(), key=_position)
    rest = [user for user in ordered if after is None or _position(user) > (after.created_at, after.digest)]
    page = rest[:limit]
    return page, Place(*_position(page[-1])) if len(rest) > limit else None


def add_user(sessions: Sessions, caller: Principal, email: str, password: str, *, name: str | None, role: Role) -> User:
    """Creates an account for another person, whatever the registration policy. `email` is normalised. The person must change the password.

    Raises:
        UnknownCaller: the caller is not an administrator any more.
        UnacceptablePassword, EmailTaken
    """
    if not known(sessions, caller).administers:
        raise UnknownCaller
    user = new_user(email, password, name=name, role=role, must_change_password=True)
    try:
        sessions.users.add(user)
    except Conflict as error:
        raise EmailTaken from error
    return user


def add_administrator(users: Users, email: str, password: str, *, name: str | None, first: bool) -> User:
    """Creates an administrator without the API, for operators with access to the table. `email` is normalised.

    Raises:
        AdministratorExists: `first` is set, and an active administrator exists.
        UnacceptablePassword, EmailTaken
    """
    user = new_user(email, password, name=name, role=Role.ADMIN)
    try:
        if first:
            users.add_first_administrator(user)
        else:
            users.add(user)
    except AdministratorExists:
        raise
    except Conflict as error:
        raise EmailTaken from error
    return user


def change_user(sessions: Sessions, caller: Principal, email: str, *, role: Role | None, status: Status | None) -> User:
    """Gives a user another role or status; None leaves it. Both count at once. Disabling ends the user's sessions for good.

    Raises:
        UnknownCaller: the caller is no longer an administrator (API Gateway may remember the old role for five minutes).
        UnknownUser, LastAdministrator, ChangedMeanwhile
    """
    if not known(sessions, caller).administers:
        raise UnknownCaller
    user = sessions.users.get(email)
    if user is None:
        raise UnknownUser
    disabling = status == "disabled" and user.status != "disabled"
    try:
        changed = sessions.users.change(
            user,
            role=role or user.role,
            status=status or user.status,
            tokens_valid_from=sessions.first_moment_after_now() if disabling else None,
        )
    except NoAdministratorLeft as error:
        raise LastAdministrator from error
    except Conflict as error:
        raise ChangedMeanwhile from error
    sessions.changed(changed)
    return changed


def _position(user: User) -> tuple[str, str]:
    return user.created_at, hashlib.blake2b(user.email.encode(), digest_size=12).hexdigest()
