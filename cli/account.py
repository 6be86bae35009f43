"""`retainstream login`, `logout` and `whoami`."""

import os
import sys
from typing import Annotated

import typer

from cli.output import print_json, print_line, say
from cli.passwords import read_password
from cli.session import DEFAULT_URL, Session, Sessions, chosen_url, signed_in

Url = Annotated[
    str | None,
    typer.Option("--url", "-u", metavar="URL", help="The deployment's address; RETAINSTREAM_URL, or where you signed in last, without it."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print a JSON document for scripts.")]


def login(
    url: Url = None,
    email: Annotated[str | None, typer.Option("--email", "-e", help="Your e-mail address; RETAINSTREAM_EMAIL without it.")] = None,
    as_json: AsJson = False,
) -> None:
    """Sign in to a deployment. The token is kept, for 24 hours, in a file that only you can read.

    The password is asked for; scripts give it as RETAINSTREAM_PASSWORD or on standard input.
    """
    from cli.client import Client

    address = chosen_url(url) or DEFAULT_URL
    who = email or os.environ.get("RETAINSTREAM_EMAIL") or _asked_email()
    with Client(address) as client:
        told = client.post("/api/auth/login", {"email": who, "password": read_password("RETAINSTREAM_PASSWORD")}, repeatable=True).data
    user = told["user"]
    Sessions().keep(Session(address, user["email"], user["role"], told["token"], told["expires_at"]))
    if as_json:
        print_json({"url": address, "email": user["email"], "role": user["role"], "expires_at": told["expires_at"]})
    else:
        say(f"Signed in at {address} as {user['email']} ({user['role']}) until {told['expires_at']}")


def logout(url: Url = None) -> None:
    """Sign out: end the session there, and forget its token here."""
    from cli.client import Client
    from cli.service_errors import NotSignedIn

    sessions = Sessions()
    session = sessions.find(chosen_url(url))
    try:
        with Client(session.url, session.token) as client:
            client.post("/api/auth/logout", repeatable=True)
    except NotSignedIn:
        pass  # it had ended there already
    finally:
        sessions.forget(session.url)
    say(f"Signed out at {session.url}")


def whoami(url: Url = None, as_json: AsJson = False) -> None:
    """Show who is signed in where, and until when."""
    with signed_in(url) as client:
        told = client.get("/api/auth/me").data
        address = client.url
    if as_json:
        print_json({"url": address, **told})
    else:
        print_line(f"{told['email']} ({told['role']}) at {address} until {told['token_expires_at']}")


def _asked_email() -> str:
    if not sys.stdin.isatty():
        raise typer.BadParameter("is needed where nobody can be asked", param_hint="--email")
    return str(typer.prompt("E-mail", err=True))
