"""User accounts, and the list of active administrators, which is never empty after its first entry.

The list is a separate item. It changes in one transaction with the user, so two administrators who demote each other at the same moment
cannot both succeed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from botocore.exceptions import ClientError

from retainstream.roles import Role
from retainstream.settings import settings
from retainstream.storage.attributes import to_attributes
from retainstream.storage.errors import Conflict, StorageUnavailable, storage_errors
from retainstream.storage.table import Item, Table

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef, UpdateTypeDef

type Status = Literal["active", "disabled"]

_ADMINISTRATORS = {"email": "administrators"}
_ABSENT = "attribute_not_exists(email)"


@dataclass(frozen=True)
class User:
    """One account. `created_at` is ISO 8601 in UTC; tokens issued before `tokens_valid_from` (epoch seconds) are refused.

    `must_change_password`: another person chose the password. `password_changed_with` is the id of the token with which the user last
    changed the password.
    """

    email: str
    name: str
    role: Role
    password_hash: str
    created_at: str
    status: Status = "active"
    tokens_valid_from: int = 0
    must_change_password: bool = False
    password_changed_with: str = ""

    @property
    def administers(self) -> bool:
        """Whether this is an active administrator."""
        return self.role is Role.ADMIN and self.status == "active"


class NoAdministratorLeft(Conflict):
    """The change would leave no active administrator."""


class AdministratorExists(Conflict):
    """An active administrator exists already."""


class Users:
    def __init__(self, table: Table | None = None) -> None:
        self._table = table or Table(settings().users_table, ("email",))

    def get(self, email: str) -> User | None:
        """The user of a normalised e-mail address, as last written."""
        item = self._table.get({"email": email}, consistent=True)
        return _user(item) if item and "password_hash" in item else None

    def add(self, user: User) -> None:
        """Stores a new user.

        Raises:
            Conflict: the address is taken.
        """
        if not user.administers:
            self._table.put(_item(user), _ABSENT)
            return
        self._transact(self._put_new(user), self._listed(user.email))

    def add_first_administrator(self, user: User) -> None:
        """Stores the first administrator. Of two calls at the same moment one succeeds.

        Raises:
            AdministratorExists: an active administrator exists.
            Conflict: the address is taken.
        """
        self._transact(self._put_new(user), self._listed(user.email, "attribute_not_exists(emails)"), AdministratorExists)

    def has_administrator(self) -> bool:
        """Whether an active administrator exists."""
        return self._table.get(_ADMINISTRATORS, consistent=True) is not None

    def change(self, user: User, *, role: Role, status: Status, tokens_valid_from: int | None = None) -> User:
        """Changes the role and the status, provided that both are still those of `user`. Returns the user as stored.

        `tokens_valid_from` only grows: None leaves the stored moment, which may be later than that of `user`.

        Raises:
            NoAdministratorLeft: this is the last active administrator.
            Conflict: another request changed the user first.
        """
        changed = replace(user, role=role, status=status)
        names = {"#role": "role", "#status": "status"}
        update = "SET #role = :role, #status = :status"
        condition = "#role = :old_role AND #status = :old_status"
        values: dict[str, str | int] = {
            ":role": role.value,
            ":status": status,
            ":old_role": user.role.value,
            ":old_status": user.status,
        }
        if tokens_valid_from is not None:
            update += ", tokens_valid_from = :from"
            condition += " AND tokens_valid_from <= :from"
            values[":from"] = tokens_valid_from
        if user.administers == changed.administers:
            return _user(self._table.update({"email": user.email}, update, values, names, condition))
        write: UpdateTypeDef = {
            "TableName": self._table.name,
            "Key": to_attributes({"email": user.email}),
            "UpdateExpression": update,
            "ConditionExpression": condition,
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": to_attributes(values),
        }
        self._transact({"Update": write}, self._listed(user.email) if changed.administers else self._unlisted(user.email))
        return self.get(user.email) or changed

    def change_password(self, user: User, password_hash: str, *, tokens_valid_from: int, changed_with: str) -> User:
        """Replaces the hash by that of the user's own choice and ends earlier sessions, provided that the hash is still that of `user`.
        `changed_with` is the id of the request's token. Returns the user as stored.

        Raises:
            Conflict: another request changed the password, or ended sessions later than `tokens_valid_from`.
        """
        return _user(
            self._table.update(
                {"email": user.email},
                "SET password_hash = :hash, tokens_valid_from = :from, password_changed_with = :token REMOVE must_change_password",
                {":hash": password_hash, ":from": tokens_valid_from, ":token": changed_with, ":old": user.password_hash},
                condition="password_hash = :old AND tokens_valid_from <= :from",
            )
        )

    def rehash(self, user: User, password_hash: str) -> User:
        """Replaces the hash of the same password, provided that it is still that of `user`. Sessions continue. Returns the user as stored.

        Raises:
            Conflict: another request changed the password.
        """
        return _user(
            self._table.update(
                {"email": user.email},
                "SET password_hash = :hash",
                {":hash": password_hash, ":old": user.password_hash},
                condition="password_hash = :old",
            )
        )

    def everyone(self) -> list[User]:
        """All users. Reads the whole table, which holds the staff of one business, not its customers."""
        return [_user(item) for page in self._table.scan_pages() for item in page if "password_hash" in item]

    def _put_new(self, user: User) -> "TransactWriteItemTypeDef":
        return {"Put": {"TableName": self._table.name, "Item": to_attributes(_item(user)), "ConditionExpression": _ABSENT}}

    def _listed(self, email: str, condition: str = "") -> "TransactWriteItemTypeDef":
        return self._administrators("ADD emails :email", {":email": {email}}, condition)

    def _unlisted(self, email: str) -> "TransactWriteItemTypeDef":
        return self._administrators("DELETE emails :email", {":email": {email}, ":one": 1}, "size(emails) > :one")

    def _administrators(self, update: str, values: Mapping[str, object], condition: str = "") -> "TransactWriteItemTypeDef":
        change: UpdateTypeDef = {
            "TableName": self._table.name,
            "Key": to_attributes(_ADMINISTRATORS),
            "UpdateExpression": update,
            "ExpressionAttributeValues": to_attributes(values),
        }
        if condition:
            change["ConditionExpression"] = condition
        return {"Update": change}

    def _transact(
        self,
        on_user: "TransactWriteItemTypeDef",
        on_administrators: "TransactWriteItemTypeDef",
        refused: type[Conflict] = NoAdministratorLeft,
    ) -> None:
        try:
            with storage_errors():
                self._table.client.transact_write_items(TransactItems=[on_user, on_administrators])
        except Conflict as error:
            reasons = error.__cause__.response.get("CancellationReasons", []) if isinstance(error.__cause__, ClientError) else []
            failed = [reason.get("Code") == "ConditionalCheckFailed" for reason in reasons]
            if failed == [False, True]:
                raise refused from error
            if not any(failed):
                raise StorageUnavailable("the transaction conflicted with another one") from error
            raise


def _item(user: User) -> Item:
    return {
        "email": user.email,
        "name": user.name,
        "role": user.role.value,
        "password_hash": user.password_hash,
        "created_at": user.created_at,
        "status": user.status,
        "tokens_valid_from": user.tokens_valid_from,
        **({"must_change_password": True} if user.must_change_password else {}),
    }


def _user(item: Item) -> User:
    return User(
        email=item["email"],
        name=item["name"],
        role=Role(item["role"]),
        password_hash=item["password_hash"],
        created_at=item["created_at"],
        status=item["status"],
        tokens_valid_from=item["tokens_valid_from"],
        must_change_password=item.get("must_change_password", False),
        password_changed_with=item.get("password_changed_with", ""),
    )
