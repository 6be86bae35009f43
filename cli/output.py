"""Output of commands: results on standard output, messages on standard error, and files that are complete or absent."""

import json
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import typer

_SIGNS = {"USD": "$", "EUR": "€", "GBP": "£"}
_PAGE_WIDTH = 140
"""Width of tables that go to a file or another command."""


def plain(text: object) -> str:
    """Text from outside, without control characters that a terminal would obey."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in str(text))


def say(text: str) -> None:
    """Print a message on standard error."""
    typer.echo(plain(text), err=True)


def say_error(text: str) -> None:
    """Print an error, in one line, on standard error."""
    typer.secho(f"error: {plain(' '.join(text.split()))}", fg=typer.colors.RED, err=True)


def say_warning(text: str) -> None:
    """Print a warning on standard error."""
    typer.secho(f"warning: {plain(text)}", fg=typer.colors.YELLOW, err=True)


def print_line(text: str) -> None:
    """Print a line of a result on standard output."""
    typer.echo(plain(text))


def print_table(headers: Sequence[str], rows: Iterable[Sequence[object]], *, numbers: Sequence[str] = (), title: str = "") -> None:
    """Print a table on standard output. The columns in `numbers` are aligned right. None is an empty cell."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text(title) if title else None, title_justify="left")
    for header in headers:
        table.add_column(Text(header), justify="right" if header in numbers else "left", overflow="fold")
    for row in rows:
        table.add_row(*("" if cell is None else Text(plain(cell)) for cell in row))
    Console(width=None if sys.stdout.isatty() else _PAGE_WIDTH).print(table)


def confirm(question: str, *, yes: bool) -> None:
    """Stop unless the user agrees, on the terminal or by --yes."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise typer.BadParameter("is required when there is no terminal to ask on", param_hint="--yes")
    typer.confirm(plain(question), abort=True, err=True)


def money(amount: float, currency: str) -> str:
    """An amount as people write it: $20.99, €20.99, or 20.99 CHF for a currency without a sign of its own here."""
    sign = _SIGNS.get(currency)
    return f"{'-' if amount < 0 else ''}{sign}{abs(amount):,.2f}" if sign else f"{amount:,.2f} {currency}".rstrip()


def print_json(document: object) -> None:
    """Print a JSON document on standard output."""
    typer.echo(json.dumps(document, indent=1, ensure_ascii=not (sys.stdout.encoding or "").lower().startswith("utf")))


def check_output(path: Path, *, force: bool) -> None:
    """Stop with exit code 1 when the file exists or its folder does not."""
    if not path.parent.is_dir():
        say_error(f"the folder {path.parent} does not exist; create it first")
        raise typer.Exit(1)
    if path.exists() and not force:
        say_error(f"{path} already exists; use --force to replace it, or -o for another name")
        raise typer.Exit(1)


@contextmanager
def written_whole(path: Path) -> Iterator[IO[bytes]]:
    """A file to write, which gets its name only when it is complete."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            yield stream
        mask = os.umask(0)
        os.umask(mask)
        Path(name).chmod(0o666 & ~mask)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
