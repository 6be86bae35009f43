"""The `retainstream` command.

Exit codes: 0 done; 1 the input is wrong, or what was asked for failed, and a line for each fault says how; 2 the command was called
wrongly; 3 done, with something to look at; 4 not signed in, or not allowed; 5 the service is not available. See docs/cli.md.
"""

import sys
from typing import Annotated

import typer

from cli import account, evaluate, generate, recount, schema
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
app.add_typer(schema.commands, name="schema")
app.command("evaluate")(evaluate.evaluate)
app.command("generate")(generate.generate)
app.command("login")(account.login)
app.command("logout")(account.logout)
app.command("recount")(recount.recount)


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
        from retainstream.schema.documents import UnreadableSchema
        from retainstream.tables.problems import UnreadableTable

        if not isinstance(error, UnreadableSchema | UnreadableTable):
            raise
        for problem in error.problems[:_SHOWN]:
            say_error(f"{error.source}: {problem}")
        if len(error.problems) > _SHOWN:
            say_error(f"{error.source}: and {len(error.problems) - _SHOWN} more")
        sys.exit(1)
    except ServiceError as error:
        say_error(str(error))
        sys.exit(error.exit_code)
    except OSError as error:
        say_error(f"{error.filename or 'a file'}: {(error.strerror or str(error)).lower()}")
        sys.exit(1)


if __name__ == "__main__":
    main()
