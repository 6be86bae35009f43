"""The `retainstream` command.

Exit codes: 0 done; 1 the input is wrong, or what was asked for failed, and a line for each fault says how; 2 the command was called
wrongly; 3 done, with something to look at; 4 not signed in, or not allowed; 5 the service is not available. See docs/cli.md.
"""

import sys
from typing import Annotated, Any

import typer

from cli import account, bootstrap, customers, evaluate, export, generate, importing, model, publish, recount, schema, train, users
from cli.output import say_error
from cli.service_errors import ServiceError
from retainstream import __version__

_SHOWN = 10

app = typer.Typer(
    name="retainstream",
    help="Who is about to leave, why, what it is worth, and what to do about it.",
    epilog="Exit codes: 0 done, 1 failed, 2 called wrongly, 3 done with something to look at, 4 not signed in or not allowed, "
    "5 service not available.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
_PANELS: dict[str, dict[str, Any]] = {
    "Signing in": {"login": account.login, "logout": account.logout, "whoami": account.whoami, "users": users.commands},
    "Customers": {
        "import": importing.import_customers,
        "at-risk": customers.at_risk,
        "customers": customers.commands,
        "export": export.export,
    },
    "The model": {
        "train": train.train,
        "score": train.score,
        "status": model.status,
        "versions": model.versions,
        "promote": model.promote,
        "rollback": model.rollback,
        "drift": model.drift,
        "performance": model.performance,
    },
    "Files of your own": {"schema": schema.commands, "evaluate": evaluate.evaluate, "generate": generate.generate},
    "Operating a deployment": {
        "bootstrap-admin": bootstrap.bootstrap_admin,
        "publish-pages": publish.publish_pages,
        "recount": recount.recount,
    },
}
for panel, commands in _PANELS.items():
    for name, command in commands.items():
        if isinstance(command, typer.Typer):
            app.add_typer(command, name=name, rich_help_panel=panel)
        else:
            app.command(name, rich_help_panel=panel)(command)


@app.callback()
def _options(
    version: Annotated[bool, typer.Option("--version", help="Show the version and leave.", is_eager=True)] = False,
) -> None:
    if version:
        typer.echo(__version__)
        raise typer.Exit


def main() -> None:
    """Run the command line; a fault ends with one line that says what it is, and its exit code."""
    try:
        app()
    except ValueError as error:
        from retainstream.engine.schema.documents import UnreadableSchema
        from retainstream.engine.tables.problems import UnreadableTable

        if not isinstance(error, UnreadableSchema | UnreadableTable):
            raise
        for problem in error.problems[:_SHOWN]:
            say_error(f"{error.source}: {problem}")
        if len(error.problems) > _SHOWN:
            say_error(f"{error.source}: and {len(error.problems) - _SHOWN} more")
        sys.exit(1)
    except ModuleNotFoundError as error:
        package = (error.name or "").split(".")[0]
        if package in ("", "cli", "retainstream"):
            raise
        say_error(f"this command needs the package {package}, which is not installed; `make setup` installs every package")
        sys.exit(1)
    except ServiceError as error:
        say_error(str(error))
        sys.exit(error.exit_code)
    except OSError as error:
        say_error(f"{error.filename or 'a file'}: {(error.strerror or str(error)).lower()}")
        sys.exit(1)


if __name__ == "__main__":
    main()
