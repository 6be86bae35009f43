"""What commands print: results to standard output, everything else to standard error; and files, whole or not at all."""

import json
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import typer

_PAGE_WIDTH = 140
"""Of tables that go to a file or another command."""


def plain(text: object) -> str:
    """Text that comes from elsewhere, without what a terminal would take for a command."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in str(text))


def say(text: str) -> None:
    """Tell a person something in one line, on standard error."""
    typer.echo(plain(text), err=True)


def say_error(text: str) -> None:
    """One line that says what is wrong, on standard error."""
    typer.secho(f"error: {plain(' '.join(text.split()))}", fg=typer.colors.RED, err=True)


def say_warning(text: str) -> None:
    """One line that says what to look at, on standard error."""
    typer.secho(f"warning: {plain(text)}", fg=typer.colors.YELLOW, err=True)


def print_line(text: str) -> None:
    """One line of a result, on standard output."""
    typer.echo(plain(text))


def print_table(headers: Sequence[str], rows: Iterable[Sequence[object]], *, numbers: Sequence[str] = (), title: str = "") -> None:
    """Rows for a person, on standard output; the columns named in `numbers` stand to the right. None shows as nothing."""
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
    """Stop unless the person agrees, or has agreed by --yes."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise typer.BadParameter("is needed where nobody can be asked", param_hint="--yes")
    typer.confirm(plain(question), abort=True, err=True)


def print_json(document: Any) -> None:
    """A document for a script, on standard output."""
    typer.echo(json.dumps(document, indent=1, ensure_ascii=not (sys.stdout.encoding or "").lower().startswith("utf")))


def check_output(path: Path, *, force: bool) -> None:
    """Stop, with exit code 1, when a file is there already, or its folder is not."""
    if not path.parent.is_dir():
        say_error(f"there is no folder {path.parent} to write {path.name} into; make it first")
        raise typer.Exit(1)
    if path.exists() and not force:
        say_error(f"{path} is there already; give --force to replace it, or another name with -o")
        raise typer.Exit(1)


@contextmanager
def written_whole(path: Path) -> Iterator[IO[bytes]]:
    """A file to write that takes its name only when everything is written."""
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
