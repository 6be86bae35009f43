"""Who is signed in where: one token for each deployment, in a file that only its owner can read."""

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from cli.service_errors import NotSignedIn

if TYPE_CHECKING:
    from cli.client import Client

DEFAULT_URL = "http://localhost:5000"
"""Where `make run` answers."""


@dataclass(frozen=True)
class Session:
    """A signed-in user of one deployment. `expires_at` is ISO 8601."""

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
    """The file of sessions; the last one signed in is the one meant when no address is given.

    The file is in the platform's folder for settings, or in that of RETAINSTREAM_CONFIG_DIR.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.path = (folder or Path(os.environ.get("RETAINSTREAM_CONFIG_DIR") or typer.get_app_dir("retainstream"))) / "sessions.json"

    def find(self, url: str | None) -> Session:
        """The session at `url`, or the last one signed in.

        Raises:
            NotSignedIn: there is none, or its time is over.
        """
        known, last = self._read()
        wanted = url or last or DEFAULT_URL
        session = known.get(wanted)
        if session is None:
            raise NotSignedIn(f"You are not signed in at {wanted}", f"Sign in: retainstream login --url {wanted}")
        if session.ended:
            raise NotSignedIn(f"Your session at {wanted} has ended", f"Sign in again: retainstream login --url {wanted}")
        return session

    def keep(self, session: Session) -> None:
        """Adds a session, in place of one at the same address, and makes it the last one."""
        known, _ = self._read()
        self._write({**known, session.url: session}, session.url)

    def forget(self, url: str) -> None:
        known, last = self._read()
        left = {address: session for address, session in known.items() if address != url}
        self._write(left, last if last in left else next(reversed(left), None))

    def _read(self) -> tuple[dict[str, Session], str | None]:
        try:
            document = json.loads(self.path.read_text())
            return {url: Session(url=url, **told) for url, told in document["sessions"].items()}, document.get("last")
        except FileNotFoundError:
            return {}, None
        except (ValueError, TypeError, KeyError, AttributeError):
            return {}, None  # not ours, or cut off: signing in writes it anew

    def _write(self, sessions: Mapping[str, Session], last: str | None) -> None:
        document: dict[str, Any] = {"last": last, "sessions": {}}
        for url, session in sessions.items():
            document["sessions"][url] = {name: value for name, value in asdict(session).items() if name != "url"}
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=self.path.parent, prefix=".sessions-")  # made readable by its owner only
        try:
            with os.fdopen(descriptor, "w") as stream:
                json.dump(document, stream, indent=1)
            Path(name).replace(self.path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise


def chosen_url(url: str | None) -> str | None:
    """The address asked for: that of the option, or of RETAINSTREAM_URL; None where neither says."""
    from cli.client import checked_url

    given = url or os.environ.get("RETAINSTREAM_URL")
    return checked_url(given) if given else None


def signed_in(url: str | None) -> "Client":
    """A client with the session at this address, or the last one signed in. Use it as a context.

    Raises:
        NotSignedIn: there is none.
    """
    from cli.client import Client

    session = Sessions().find(chosen_url(url))
    return Client(session.url, session.token)
