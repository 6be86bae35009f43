"""An interval in the API."""

from pydantic import BaseModel


class IntervalView(BaseModel):
    low: float
    high: float
