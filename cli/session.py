"""Sessions: one token for each deployment, in a file that only its owner can read."""

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from cli.service_errors import NotSignedIn

if TYPE_CHECKING:
    from cli.client import Client

DEFAULT_URL = "http://localhost:5000"
"""The address of `make run`."""


@dataclass(frozen=True)
class Session:
    """A user's session at one deployment. `expires_at` is ISO 8601."""

    url: str
    email: str
    role: str
    token: str
    expires_at: str

    def __repr__(self) -> str:
        return f"Session({self.url}, {self.email})"

    @property
    def ended(self) -> bool:
        return datetime.fromisoformat(self.expires_at) <= datetime.now(UTC)


class Sessions:
    """The file of sessions. Without an address, commands use the last session.

    The file is in the platform's settings folder, or in RETAINSTREAM_CONFIG_DIR.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.path = (folder or Path(os.environ.get("RETAINSTREAM_CONFIG_DIR") or typer.get_app_dir("retainstream"))) / "sessions.json"

    def find(self, url: str | None) -> Session:
        """The session at `url`, or the last session.

        Raises:
            NotSignedIn: there is no session, or it has ended.
        """
        sessions, last = self._read()
        wanted = url or last or DEFAULT_URL
        session = sessions.get(wanted)
        if session is None:
            raise NotSignedIn(f"You are not signed in at {wanted}", f"To sign in: retainstream login --url {wanted}")
        if session.ended:
            raise NotSignedIn(f"Your session at {wanted} has ended", f"To sign in again: retainstream login --url {wanted}")
        return session

    def keep(self, session: Session) -> None:
        """Stores a session in place of an earlier one at the same address, and makes it the last session."""
        sessions, _ = self._read()
        self._write({**sessions, session.url: session}, session.url)

    def forget(self, url: str) -> None:
        sessions, last = self._read()
        others = {address: session for address, session in sessions.items() if address != url}
        self._write(others, last if last in others else next(reversed(others), None))

    def _read(self) -> tuple[dict[str, Session], str | None]:
        try:
            document = json.loads(self.path.read_text())
            return {url: Session(url=url, **fields) for url, fields in document["sessions"].items()}, document.get("last")
        except FileNotFoundError:
            return {}, None
        except (ValueError, TypeError, KeyError, AttributeError):
            return {}, None  # damaged: the next sign-in writes a new file

    def _write(self, sessions: Mapping[str, Session], last: str | None) -> None:
        stored = {url: {name: value for name, value in asdict(session).items() if name != "url"} for url, session in sessions.items()}
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=self.path.parent, prefix=".sessions-")  # only its owner can read it
        try:
            with os.fdopen(descriptor, "w") as stream:
                json.dump({"last": last, "sessions": stored}, stream, indent=1)
            Path(name).replace(self.path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise


def chosen_url(url: str | None) -> str | None:
    """The address of the option or of RETAINSTREAM_URL; None without both."""
    from cli.client import checked_url

    address = url or os.environ.get("RETAINSTREAM_URL")
    return checked_url(address) if address else None


def signed_in(url: str | None) -> "Client":
    """A client with the session at this address, or with the last session. Use it in a `with` statement.

    Raises:
        NotSignedIn: there is no session.
    """
    from cli.client import Client

    session = Sessions().find(chosen_url(url))
    return Client(session.url, session.token)
