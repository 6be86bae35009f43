"""The moment that a file describes, as a request states it."""

from datetime import UTC, date, datetime
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError


def moment_of(text: str) -> datetime:
    """A moment with its offset from UTC; of a date alone the first moment, in UTC.

    Raises:
        PydanticCustomError: the text is neither.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise PydanticCustomError("moment", "must be a date such as 2026-01-31, or a moment such as 2026-01-31T18:00:00+01:00") from None
    if moment.tzinfo is None and len(text) > len("2026-01-31"):
        raise PydanticCustomError("moment", "must say its offset from UTC, such as Z or +01:00")
    return (moment if moment.tzinfo else datetime.combine(date.fromisoformat(text), datetime.min.time(), UTC)).astimezone(UTC)


def _past(text: str) -> str:
    if moment_of(text) > datetime.now(UTC):
        raise PydanticCustomError("moment", "must not be in the future")
    return text


Past = Annotated[str, Field(max_length=40), AfterValidator(_past)]
"""A moment that is not in the future, or the first moment of a day."""
