"""The idempotency key of a request: the same key with the same body means the same run, and with another body it is refused."""

import hashlib
import json
import uuid
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel

from retainstream.storage.request_keys import RequestKeys
from retainstream.storage.runs import Kind

type Purpose = Kind | Literal["rollback"]


@dataclass(frozen=True)
class Request:
    """A request that a run answers: the id of its own run, and its key and body as digests, where it has a key."""

    run_id: str
    key: str | None = None
    body: str = ""

    def claim(self, keys: RequestKeys) -> str:
        """The id of the run that answers it: its own, or the run that answered the same request before.

        Raises:
            UsedKey: the key was used with another body within the last day.
        """
        return keys.claim(self.key, self.body, self.run_id) if self.key else self.run_id

    def answered_by(self, keys: RequestKeys, run_id: str) -> None:
        """Remembers that another run than its own answered it."""
        if self.key:
            keys.answer(self.key, self.body, run_id)


def request_of(purpose: Purpose, caller: str, key: str | None, body: BaseModel | None = None) -> Request:
    """The request of a caller with a key and a validated body. Without a key each request means a run of its own."""
    if not key:
        return Request(new_run_id())
    text = json.dumps(body.model_dump(mode="json", exclude_none=True), sort_keys=True) if body else ""
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest() if text else ""
    return Request(run_id_for(purpose, caller, key, digest), run_id_for(purpose, caller, key), digest)


def new_run_id() -> str:
    return uuid.uuid4().hex


def run_id_for(purpose: Purpose, caller: str, key: str, body: str = "") -> str:
    """The same id for the same four values, and another for any others. `body` is a digest, or an empty text where there is no body."""
    parts = (purpose, caller, key, body) if body else (purpose, caller, key)
    return hashlib.sha256("\x00".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]
