"""Passwords that are typed or come from a script: never from an argument, which everybody on the machine can see."""

import os
import sys

import typer


def read_password(variable: str, prompt: str = "Password", *, new: bool = False) -> str:
    """From the environment variable, without echo from the person (a new one twice), or the first line of standard input."""
    given = os.environ.get(variable)
    if given is not None:
        return given
    if sys.stdin.isatty():
        return str(typer.prompt(prompt, hide_input=True, confirmation_prompt=new, err=True))
    line = sys.stdin.readline().rstrip("\r\n")
    if not line:
        raise typer.BadParameter(f"Give the password as {variable} or on standard input.", param_hint="password")
    return line
