"""`retainstream bootstrap-admin`: creates the first administrator of a deployment, who then creates all other accounts."""

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
    table: Annotated[
        str | None, typer.Option("--table", metavar="NAME", help="The name of the users table, in place of the stack.")
    ] = None,
    name: Annotated[str | None, typer.Option("--name", help="The administrator's name. Default: the part before the @.")] = None,
    region: Region = None,
    profile: Profile = None,
    force: Annotated[
        bool, typer.Option("--force", help="Create one although there is an administrator, for example one who cannot sign in any more.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Create the first administrator of a deployment, with your AWS credentials. A new deployment has no accounts.

    The command asks for the password twice. A script sets RETAINSTREAM_NEW_PASSWORD or writes the password to standard input. Only
    its hash goes to AWS.
    """
    if (stack is None) == (table is None):
        raise typer.BadParameter("give --stack or --table", param_hint="--stack")
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
    stack_outputs = outputs(account, stack) if stack else {"UsersTableName": table or ""}
    users_table = stack_outputs.get("UsersTableName")
    if users_table is None:
        raise ServiceError(
            f"The stack {stack} has no output UsersTableName", "Check that it is a RetainStream deployment, or give --table."
        )
    try:
        with aws_errors():
            users = Users(Table(users_table, ("email",), account.client("dynamodb")))
            if users.has_administrator() and not force:
                raise AdministratorExists
            password = read_password("RETAINSTREAM_NEW_PASSWORD", new=True)
            add_administrator(users, address, password, name=name, first=not force)
    except AdministratorExists as error:
        raise ServiceError(
            f"{users_table} already has an administrator",
            "Ask that person for an account (retainstream users add), or create another one with --force.",
        ) from error
    except EmailTaken as error:
        raise ServiceError(f"{address} already has an account", "Use another address.") from error
    except UnacceptablePassword as error:
        raise ServiceError(f"The password {error}", "Nothing was stored.") from error
    if as_json:
        print_json({"email": address, "role": "admin", "table": users_table})
        return
    address_of_api = stack_outputs.get("WebUrl") or stack_outputs.get("ApiUrl") or "URL"
    say(f"{address} is an administrator of {stack or users_table}. To sign in: retainstream login --url {address_of_api} --email {address}")
