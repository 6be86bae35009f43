"""The shape of every answer."""

from pydantic import BaseModel, ConfigDict, Field


class PageInfo(BaseModel):
    """Where a list goes on. `next` is absent on the last page."""

    model_config = ConfigDict(extra="allow")

    limit: int
    next: str | None = Field(default=None, description="Cursor of the next page: send it as `cursor` with the same filters")
    number: int | None = Field(default=None, description="Page number, for lists that were asked for by number")
    total: int | None = Field(default=None, description="How many there are in all, where it is known without counting")


class Data[T](BaseModel):
    model_config = ConfigDict(defer_build=True)

    data: T


class Listing[T](BaseModel):
    model_config = ConfigDict(defer_build=True)

    data: list[T]
    page: PageInfo
