"""`retainstream users`: accounts and roles."""

from enum import StrEnum
from typing import Annotated

import typer

from cli.account import AsJson, Url
from cli.answers import User
from cli.output import print_json, print_table, say
from cli.passwords import read_password
from cli.session import signed_in
from retainstream.roles import Role

_PATH = "/api/auth/users"
_PAGE_SIZE = 200

commands = typer.Typer(help="Accounts and roles. Needs the role admin.", no_args_is_help=True)


class Status(StrEnum):
    ACTIVE = "active"
    DISABLED = "disabled"


def _status(user: User) -> str:
    return f"{user['status']}, first password" if user.get("must_change_password") else user["status"]


Email = Annotated[str, typer.Argument(metavar="EMAIL", help="The user's e-mail address.")]


@commands.command("list")
def list_users(url: Url = None, as_json: AsJson = False) -> None:
    """List all accounts, oldest first."""
    with signed_in(url) as client:
        users: list[User] = client.all_of(_PATH, {"limit": _PAGE_SIZE}).data
    if as_json:
        print_json(users)
        return
    rows = ([user["email"], user["name"], user["role"], _status(user), user["created_at"]] for user in users)
    print_table(("e-mail", "name", "role", "status", "since"), rows)


@commands.command("add")
def add(
    email: Email,
    role: Annotated[Role, typer.Option("--role", "-r", help="The role of the account.")] = Role.VIEWER,
    name: Annotated[str | None, typer.Option("--name", help="The user's name. Default: the part before the @.")] = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Create an account. The user must change the first password after signing in.

    The command asks for the first password twice. A script sets RETAINSTREAM_NEW_PASSWORD or writes the password to standard input.
    """
    with signed_in(url) as client:
        password = read_password("RETAINSTREAM_NEW_PASSWORD", "First password", new=True)
        user: User = client.post(_PATH, {"email": email, "role": role.value, "password": password, **({"name": name} if name else {})}).data
    if as_json:
        print_json(user)
    else:
        say(f"Account created: {user['email']} ({user['role']})")


@commands.command("change")
def change(
    email: Email,
    role: Annotated[Role | None, typer.Option("--role", "-r", help="The new role.")] = None,
    status: Annotated[
        Status | None, typer.Option("--status", "-s", help="disabled ends all sessions of the user and keeps the account.")
    ] = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Change the role of an account, or disable or enable it. The last administrator cannot be demoted or disabled."""
    if role is None and status is None:
        raise typer.BadParameter("give --role, --status, or both", param_hint="--role")
    with signed_in(url) as client:
        changes = {name: value.value for name, value in (("role", role), ("status", status)) if value}
        user: User = client.patch(_PATH, {"email": email, **changes}).data
    if as_json:
        print_json(user)
    else:
        say(f"{user['email']} is now: {user['role']}, {user['status']}")
