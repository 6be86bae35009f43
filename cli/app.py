"""The `retainstream` command.

Exit codes: 0 done; 1 failed, or the input is wrong, with a line for each fault; 2 wrong usage; 3 done, with a warning; 4 not signed in, or
not allowed; 5 the service is not available. See docs/cli.md.
"""

import sys
from collections.abc import Callable
from typing import Annotated

import typer

from cli import (
    account,
    bootstrap,
    churn,
    customers,
    evaluate,
    export,
    features,
    generate,
    importing,
    metrics,
    model,
    preparing,
    publish,
    recount,
    schema,
    sources,
    train,
    users,
)
from cli.output import say_error
from cli.service_errors import ServiceError
from retainstream import __version__

_SHOWN = 10

app = typer.Typer(
    name="retainstream",
    help="Churn prediction: customers at risk, reasons, value and recommended actions.",
    epilog="Exit codes: 0 done, 1 failed, 2 wrong usage, 3 done with a warning, 4 not signed in or not allowed, 5 service not available.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
_PANELS: dict[str, dict[str, typer.Typer | Callable[..., None]]] = {
    "Accounts": {
        "login": account.login,
        "logout": account.logout,
        "whoami": account.whoami,
        "password": account.password,
        "users": users.commands,
    },
    "Customers": {
        "import": importing.import_customers,
        "metrics": metrics.metrics,
        "sources": sources.commands,
        "prepare": preparing.prepare,
        "at-risk": customers.at_risk,
        "customers": customers.commands,
        "export": export.export,
    },
    "Model": {
        "train": train.train,
        "score": train.score,
        "status": model.status,
        "versions": model.versions,
        "promote": model.promote,
        "rollback": model.rollback,
        "drift": model.drift,
        "performance": model.performance,
    },
    "Your files": {
        "schema": schema.commands,
        "churn": churn.commands,
        "features": features.commands,
        "evaluate": evaluate.evaluate,
        "generate": generate.generate,
    },
    "Operations": {
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
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.", is_eager=True)] = False,
) -> None:
    if version:
        typer.echo(__version__)
        raise typer.Exit


def main() -> None:
    """Run the command line. A fault ends with one line that describes it, and with its exit code."""
    try:
        app()
    except ValueError as error:
        from retainstream.engine.schema.documents import UnreadableSchema
        from retainstream.engine.tables.problems import UndecidedTable, UnreadableTable

        if not isinstance(error, UnreadableSchema | UnreadableTable):
            raise
        for problem in error.problems[:_SHOWN]:
            say_error(f"{error.source}: {problem}")
        if len(error.problems) > _SHOWN:
            say_error(f"{error.source}: {len(error.problems) - _SHOWN} more faults")
        sys.exit(2 if isinstance(error, UndecidedTable) else 1)
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
