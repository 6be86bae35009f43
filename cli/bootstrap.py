"""`retainstream bootstrap-admin`: the first administrator of a deployment, who can then make all other accounts."""

from typing import Annotated

import typer

from cli.account import AsJson
from cli.aws_options import STACK_HELP, Profile, Region
from cli.output import print_json, say
from cli.passwords import read_password
from cli.service_errors import ServiceError


def bootstrap_admin(
    email: Annotated[str, typer.Option("--email", "-e", help="The administrator's e-mail address.")],
    stack: Annotated[str | None, typer.Option("--stack", metavar="NAME", help=STACK_HELP)] = None,
    table: Annotated[str | None, typer.Option("--table", metavar="NAME", help="The users table itself, in place of the stack.")] = None,
    name: Annotated[str | None, typer.Option("--name", help="How the person is called; the part before the @ without it.")] = None,
    region: Region = None,
    profile: Profile = None,
    force: Annotated[
        bool, typer.Option("--force", help="Even if there is an administrator, such as one who cannot sign in any more.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make the first administrator of a deployment, with your AWS credentials. After sam deploy there is no account at all.

    The password is asked for, twice; scripts give it as RETAINSTREAM_NEW_PASSWORD or on standard input. Only its hash goes to AWS.
    """
    if (stack is None) == (table is None):
        raise typer.BadParameter("give the stack's name, or --table", param_hint="--stack")
    from cli.aws import aws_errors, outputs, session
    from retainstream.accounts.accounts import EmailTaken
    from retainstream.accounts.administration import add_administrator
    from retainstream.accounts.email_address import normalised
    from retainstream.accounts.passwords import UnacceptablePassword
    from retainstream.storage.table import Table
    from retainstream.storage.users import AdministratorExists, Users

    try:
        address = normalised(email)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--email") from None
    account = session(region, profile)
    found = outputs(account, stack) if stack else {"UsersTableName": table or ""}
    users_table = found.get("UsersTableName")
    if users_table is None:
        raise ServiceError(f"The stack {stack} has no output UsersTableName", "Is it a RetainStream deployment? --table names its table.")
    try:
        with aws_errors():
            users = Users(Table(users_table, ("email",), account.client("dynamodb")))
            if users.has_administrator() and not force:
                raise AdministratorExists
            password = read_password("RETAINSTREAM_NEW_PASSWORD", new=True)
            add_administrator(users, address, password, name=name, first=not force)
    except AdministratorExists as error:
        raise ServiceError(
            f"{users_table} has an administrator already", "Ask for an account: retainstream users add. --force makes one more."
        ) from error
    except EmailTaken as error:
        raise ServiceError(f"There is an account for {address}", "Give another address.") from error
    except UnacceptablePassword as error:
        raise ServiceError(f"The password {error}", "Nothing was stored.") from error
    if as_json:
        print_json({"email": address, "role": "admin", "table": users_table})
        return
    where = found.get("WebUrl") or found.get("ApiUrl")
    say(f"{address} is an administrator of {stack or users_table}. Sign in: retainstream login --url {where or 'URL'} --email {address}")
