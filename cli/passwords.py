"""Passwords from a terminal or a script. Never from an argument: everybody on the machine can see those."""

import os
import sys

import typer


def read_password(variable: str, prompt: str = "Password", *, new: bool = False) -> str:
    """From the environment variable, from the terminal without echo (a new one twice), or from the first line of standard input."""
    password = os.environ.get(variable)
    if password is not None:
        return password
    if sys.stdin.isatty():
        return str(typer.prompt(prompt, hide_input=True, confirmation_prompt=new, err=True))
    line = sys.stdin.readline().rstrip("\r\n")
    if not line:
        raise typer.BadParameter(f"Set {variable}, or write the password to standard input.", param_hint="password")
    return line
