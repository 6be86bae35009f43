"""Errors of the start, in one line each."""

from collections.abc import Iterator
from contextlib import contextmanager

from local.intrinsics import UnresolvedError
from local.resources import UnsupportedError
from local.runtime import LoadError
from local.state_file import StateError
from local.time_expressions import TimeExpressionError
from tools.expand import TemplateError


class StartError(Exception):
    """The stack cannot start; the message is one line for a person."""


@contextmanager
def explained() -> Iterator[None]:
    """Turns errors of the start into a StartError."""
    try:
        yield
    except StateError as error:
        raise StartError(_one_line(error)) from error
    except (TemplateError, UnresolvedError, UnsupportedError, TimeExpressionError) as error:
        raise StartError(f"The local stack cannot run the template: {_one_line(error)}") from error
    except LoadError as error:
        raise StartError(f"A function cannot be loaded: {_one_line(error)}") from error
    except Exception as error:
        raise StartError(f"The stack could not start: {type(error).__name__}: {_one_line(error)}") from error


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
