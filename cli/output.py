"""What commands print: results to standard output, everything else to standard error; and files, whole or not at all."""

import json
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import typer


def say(text: str) -> None:
    """Tell a person something, on standard error."""
    typer.echo(text, err=True)


def say_error(text: str) -> None:
    """One line that says what is wrong, on standard error."""
    typer.secho(f"error: {' '.join(text.split())}", fg=typer.colors.RED, err=True)


def say_warning(text: str) -> None:
    """One line that says what to look at, on standard error."""
    typer.secho(f"warning: {text}", fg=typer.colors.YELLOW, err=True)


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
