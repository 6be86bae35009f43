"""`retainstream users`: who may sign in, and what they may do."""

from enum import StrEnum
from typing import Annotated, Any

import typer

from cli.account import AsJson, Url
from cli.output import print_json, print_table, say
from cli.passwords import read_password
from cli.session import signed_in
from retainstream.roles import Role

_PATH = "/api/auth/users"
_AT_ONCE = 200

commands = typer.Typer(help="Who may sign in, and what they may do. Needs an administrator.", no_args_is_help=True)


class Status(StrEnum):
    ACTIVE = "active"
    DISABLED = "disabled"


Email = Annotated[str, typer.Argument(metavar="EMAIL", help="The person's e-mail address.")]


@commands.command("list")
def list_users(url: Url = None, as_json: AsJson = False) -> None:
    """Show everybody who has an account, the oldest first."""
    with signed_in(url) as client:
        users: list[dict[str, Any]] = client.all_of(_PATH, {"limit": _AT_ONCE}).data
    if as_json:
        print_json(users)
        return
    columns = ("email", "name", "role", "status", "created_at")
    print_table(("e-mail", "name", "role", "status", "since"), ([user[column] for column in columns] for user in users))


@commands.command("add")
def add(
    email: Email,
    role: Annotated[Role, typer.Option("--role", "-r", help="What the person may do.")] = Role.VIEWER,
    name: Annotated[str | None, typer.Option("--name", help="How the person is called; the part before the @ without it.")] = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Make somebody an account. The person changes the first password after signing in.

    The first password is asked for, twice; scripts give it as RETAINSTREAM_NEW_PASSWORD or on standard input.
    """
    with signed_in(url) as client:
        password = read_password("RETAINSTREAM_NEW_PASSWORD", "First password", new=True)
        user = client.post(_PATH, {"email": email, "role": role.value, "password": password, **({"name": name} if name else {})}).data
    if as_json:
        print_json(user)
    else:
        say(f"{user['email']} has an account as {user['role']}")


@commands.command("change")
def change(
    email: Email,
    role: Annotated[Role | None, typer.Option("--role", "-r", help="What the person may do from now on.")] = None,
    status: Annotated[Status | None, typer.Option("--status", "-s", help="disabled ends all sessions, and keeps the account.")] = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Change somebody's role, or shut somebody out and let in again. The last administrator stays one."""
    if role is None and status is None:
        raise typer.BadParameter("give --role, --status, or both", param_hint="--role")
    with signed_in(url) as client:
        changes = {name: value.value for name, value in (("role", role), ("status", status)) if value}
        user = client.patch(_PATH, {"email": email, **changes}).data
    if as_json:
        print_json(user)
    else:
        say(f"{user['email']} is {user['role']}, {user['status']}")
