"""The shape of every answer."""

from pydantic import BaseModel, ConfigDict, Field


class PageInfo(BaseModel):
    """A page of a list. `next` is absent on the last page."""

    model_config = ConfigDict(extra="allow")

    limit: int
    next: str | None = Field(default=None, description="Cursor of the next page: send it as `cursor` with the same filters")
    number: int | None = Field(default=None, description="Page number, for lists by page number")
    total: int | None = Field(default=None, description="Items in all, where the number is known without counting")


class Data[T](BaseModel):
    model_config = ConfigDict(defer_build=True)

    data: T


class Listing[T](BaseModel):
    model_config = ConfigDict(defer_build=True)

    data: list[T]
    page: PageInfo
