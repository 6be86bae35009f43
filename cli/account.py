"""`retainstream login`, `logout`, `whoami` and `password`."""

import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from cli.answers import Me, SignedIn
from cli.output import print_json, print_line, say
from cli.passwords import read_password
from cli.session import DEFAULT_URL, Session, Sessions, chosen_url, signed_in

if TYPE_CHECKING:
    from cli.client import Client

Url = Annotated[
    str | None,
    typer.Option("--url", "-u", metavar="URL", help="The deployment's address. Default: RETAINSTREAM_URL, or your last sign-in."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print a JSON document for scripts.")]

_CHANGED = "Password changed. All your other sessions have ended."


def login(
    url: Url = None,
    email: Annotated[str | None, typer.Option("--email", "-e", help="Your e-mail address. Default: RETAINSTREAM_EMAIL.")] = None,
    as_json: AsJson = False,
) -> None:
    """Sign in to a deployment. The token is kept for 24 hours in a file that only you can read.

    The command asks for the password. A script sets RETAINSTREAM_PASSWORD or writes the password to standard input.
    """
    from cli.client import Client

    address = chosen_url(url) or DEFAULT_URL
    login_email = email or os.environ.get("RETAINSTREAM_EMAIL") or _ask_for_email()
    with Client(address) as client:
        first = read_password("RETAINSTREAM_PASSWORD")
        signed: SignedIn = client.post("/api/auth/login", {"email": login_email, "password": first}, repeatable=True).data
    user = signed["user"]
    _keep(address, signed)
    if as_json:
        _print_session(address, signed)
    else:
        say(f"Signed in at {address} as {user['email']} ({user['role']}) until {signed['expires_at']}")
    if user.get("must_change_password"):
        say("An administrator chose your password. Change it before you use other commands: retainstream password")
        if sys.stdin.isatty() and not as_json:
            with signed_in(address) as client:
                _change(client, first)
                say(_CHANGED)


def password(url: Url = None, as_json: AsJson = False) -> None:
    """Change your password. All your other sessions end.

    The command asks for the current password, and twice for the new one. A script sets RETAINSTREAM_PASSWORD and
    RETAINSTREAM_NEW_PASSWORD, or writes both to standard input, each on a line.
    """
    with signed_in(url) as client:
        changed = _change(client, read_password("RETAINSTREAM_PASSWORD", "Current password"))
        if as_json:
            _print_session(client.url, changed)
        else:
            say(_CHANGED)


def logout(url: Url = None) -> None:
    """Sign out: end the session in the deployment, and forget its token on this machine."""
    from cli.client import Client
    from cli.service_errors import NotSignedIn

    sessions = Sessions()
    session = sessions.find(chosen_url(url))
    try:
        with Client(session.url, session.token) as client:
            client.post("/api/auth/logout", repeatable=True)
    except NotSignedIn:
        pass  # the session had already ended
    finally:
        sessions.forget(session.url)
    say(f"Signed out at {session.url}")


def whoami(url: Url = None, as_json: AsJson = False) -> None:
    """Show the signed-in user, the deployment, and the end of the session."""
    with signed_in(url) as client:
        me: Me = client.get("/api/auth/me").data
        address = client.url
    if as_json:
        print_json({"url": address, **me})
    else:
        print_line(f"{me['email']} ({me['role']}) at {address} until {me['token_expires_at']}")


def _change(client: "Client", current: str) -> SignedIn:
    new = read_password("RETAINSTREAM_NEW_PASSWORD", "New password", new=True)
    signed: SignedIn = client.post("/api/auth/password", {"current_password": current, "new_password": new}).data
    _keep(client.url, signed)
    return signed


def _print_session(url: str, signed: SignedIn) -> None:
    user = signed["user"]
    print_json(
        {
            "url": url,
            "email": user["email"],
            "role": user["role"],
            "must_change_password": user.get("must_change_password", False),
            "expires_at": signed["expires_at"],
        }
    )


def _keep(url: str, signed: SignedIn) -> None:
    user = signed["user"]
    Sessions().keep(Session(url, user["email"], user["role"], signed["token"], signed["expires_at"]))


def _ask_for_email() -> str:
    if not sys.stdin.isatty():
        raise typer.BadParameter("is required when there is no terminal to ask on", param_hint="--email")
    return str(typer.prompt("E-mail", err=True))
