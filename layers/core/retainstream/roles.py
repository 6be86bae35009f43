"""Roles and their order: each role includes the one before it."""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    VIEWER = "viewer"
    ANALYST = "analyst"
    ADMIN = "admin"

    def includes(self, other: "Role") -> bool:
        """Whether this role includes `other`."""
        order = list(Role)
        return order.index(self) >= order.index(other)


@dataclass(frozen=True)
class Principal:
    """The user of a request, as the authorizer identified it. `must_change_password`: an administrator chose the password."""

    user_id: str
    role: Role
    token_id: str
    token_expires: int
    must_change_password: bool = False
