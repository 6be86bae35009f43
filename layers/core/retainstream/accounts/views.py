"""Requests and answers of the auth module."""

from datetime import UTC, datetime
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator
from pydantic.json_schema import SkipJsonSchema

from retainstream.accounts import passwords
from retainstream.accounts.email_address import EmailAddress
from retainstream.accounts.sessions import Session
from retainstream.roles import Principal, Role
from retainstream.storage.users import User


def _printable(name: str) -> str:
    trimmed = name.strip()
    if not trimmed or not trimmed.isprintable():
        raise ValueError("needs printable characters")
    return trimmed


Password = Annotated[SecretStr, Field(min_length=1, max_length=passwords.LONGEST_RAW)]
NewPassword = Annotated[SecretStr, Field(min_length=passwords.SHORTEST, max_length=passwords.LONGEST)]
"""The rule as far as lengths say it; `passwords.check_acceptable` holds the rest."""
Name = Annotated[str, Field(min_length=1, max_length=100, examples=["Ann Lee"]), AfterValidator(_printable)]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class Registration(_Request):
    """A new account. The password has 8 to 128 characters of any kind, also after Unicode's NFKC, and is not easy to guess."""

    email: EmailAddress
    password: NewPassword
    name: Name | None = Field(default=None, description="The person's name. Default: the part of the address before the @")


class Credentials(_Request):
    email: EmailAddress
    password: Password


class PasswordChange(_Request):
    """The new password follows the rules of a registration, and differs from the current one."""

    current_password: Password
    new_password: NewPassword


class NewUser(Registration):
    """An account for another person, who must change the password after the first sign-in."""

    role: Role = Role.VIEWER


class UserChange(_Request):
    """A new role, a new status, or both."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 2})

    email: EmailAddress
    role: Role | SkipJsonSchema[None] = None
    status: Literal["active", "disabled"] | SkipJsonSchema[None] = None

    @model_validator(mode="after")
    def _something_to_change(self) -> Self:
        given = [getattr(self, name) for name in self.model_fields_set]
        if len(given) < 2 or None in given:
            raise ValueError("give role, status, or both")
        return self


class Person(BaseModel):
    email: str
    name: str
    role: Role
    must_change_password: bool = Field(description="Whether an administrator chose the password, and the person has not changed it yet")


class SignedIn(BaseModel):
    """A token, valid for 24 hours unless it is revoked. Send it as `Authorization: Bearer …`."""

    token: str
    expires_at: str = Field(description="ISO 8601, UTC")
    user: Person


class Me(Person):
    created_at: str = Field(description="ISO 8601, UTC")
    token_expires_at: str = Field(description="ISO 8601, UTC")


class UserView(Person):
    status: Literal["active", "disabled"]
    created_at: str = Field(description="ISO 8601, UTC")


class SignedOut(BaseModel):
    signed_out: Literal[True] = True


def signed_in(session: Session) -> SignedIn:
    return SignedIn(token=session.token, expires_at=_moment(session.expires_at), user=person(session.user))


def me(user: User, caller: Principal) -> Me:
    return Me(**person(user).model_dump(), created_at=user.created_at, token_expires_at=_moment(caller.token_expires))


def person(user: User) -> Person:
    return Person(email=user.email, name=user.name, role=user.role, must_change_password=user.must_change_password)


def user_view(user: User) -> UserView:
    return UserView(**person(user).model_dump(), status=user.status, created_at=user.created_at)


def _moment(epoch_seconds: int) -> str:
    return datetime.fromtimestamp(epoch_seconds, UTC).isoformat()
