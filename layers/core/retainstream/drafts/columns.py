"""A column of a file as it was understood."""

from typing import Literal

from pydantic import BaseModel, Field

MOST_EXAMPLES = 5
MOST_UNREAD = 20

type Use = Literal["feature", "not in the model", "id", "outcome", "day", "not read"]


class UnreadValue(BaseModel):
    """A cell's text that could not be read, and the rows with it. The cell counts as missing."""

    value: str = Field(description="As the file has it, cut to 200 characters; … for several rarer texts together")
    reason: str = Field(description='Goes on after the value, as in "is new"')
    rows: int


class ColumnOfFile(BaseModel):
    """A column of a file."""

    header: str = Field(description="As the file has it")
    column: str | None = Field(description="The column's name in the schema; null where it is in none")
    label: str
    kind: str = Field(
        description="number, integer, boolean, category, date; where it is not read: identifier, text, constant, empty, other"
    )
    use: Use
    examples: list[str] = Field(description="Up to 5 different texts, as the file has them")
    missing: int = Field(description="Rows without a value")
    unread: list[UnreadValue] = Field(description="Texts that could not be read, most frequent first, at most 20")
    reason: str = Field(default="", description="Why it is not read, or not in the model; remarks on how it is read")
