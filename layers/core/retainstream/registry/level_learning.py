"""New levels of a category in the active schema. Nothing else changes, so no customer can stop to fit and the model goes on scoring."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from retainstream.engine.schema import Column, FeatureSchema, FieldError
from retainstream.engine.schema.changes import listed
from retainstream.engine.schema.validation import UnusableSchema
from retainstream.engine.tables.spelling import cleaned, folded
from retainstream.registry.active_schema import digest_of, replace_active_schema, stored_active
from retainstream.registry.champion import champion
from retainstream.registry.errors import CorruptModel
from retainstream.registry.schema_change import SchemaChangedMeanwhile
from retainstream.storage.documents import Documents
from retainstream.storage.errors import Conflict
from retainstream.storage.models import Models

_TRIES = 3


class NewLevels(BaseModel):
    """Values of a category that the schema does not have yet."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    column: str = Field(min_length=1, max_length=500, description="The column's name, or its header in files", examples=["plan"])
    levels: list[Annotated[str, Field(min_length=1, max_length=200)]] = Field(min_length=1, max_length=100, examples=[["family"]])


class LearnedLevels(BaseModel):
    """The column after the change."""

    column: str = Field(description="The column's name")
    label: str
    added: list[str] = Field(description="Levels that are new")
    known: list[str] = Field(description="Levels that the schema had already, as they were sent")
    levels: list[str] = Field(description="All levels now")
    digest: str = Field(description="SHA-256 of the active schema")
    kept: str | None = Field(description="The id of the schema that was replaced; null where nothing was new")
    next_steps: list[str] = Field(description="Sentences for the administrator, in the order of the steps")


class UnlearnableLevels(ValueError):
    """The active schema cannot take the levels. `faults` name the fields of the request."""

    def __init__(self, *faults: FieldError) -> None:
        super().__init__("; ".join(fault.detail for fault in faults))
        self.faults = faults


def learn_levels(documents: Documents, models: Models, new: NewLevels) -> LearnedLevels:
    """Adds levels to a category of the active schema, and keeps the schema before. Levels that the column has already change nothing; they
    are compared as people see them, without case.

    Raises:
        UnlearnableLevels: there is no such category, or the schema would not be valid.
        UnusableSchema: the active schema cannot be read.
        SchemaChangedMeanwhile: the schema was changed at the same moments.
        StorageUnavailable
    """
    for _ in range(_TRIES):
        before = stored_active(documents)
        if before.schema is None:
            raise UnusableSchema("The active feature schema cannot be read. An operator can restore its previous version.")
        column = _column(before.schema, new.column)
        added, known = _apart(column, new.levels)
        if not added:
            return _learned(before.schema, column, added, known, None, models)
        schema = _with_levels(before.schema, column, added)
        try:
            kept = replace_active_schema(documents, schema, before)
        except Conflict:
            continue
        return _learned(schema, column, added, known, kept, models)
    raise SchemaChangedMeanwhile("another schema became active each time")


def _column(schema: FeatureSchema, name: str) -> Column:
    spelled = cleaned(name)
    for column in schema.columns:
        if spelled in (column.name, cleaned(column.header)):
            if column.kind != "category":
                raise UnlearnableLevels(FieldError("body.column", f"is not a category, but a {column.kind}"))
            return column
    raise UnlearnableLevels(
        FieldError("body.column", f"is not a column of the schema, which has {listed([column.name for column in schema.columns])}")
    )


def _apart(column: Column, levels: list[str]) -> tuple[list[str], list[str]]:
    """The new ones of some levels, and the known ones."""
    seen = {folded(level) for level in column.levels}
    added: list[str] = []
    known: list[str] = []
    for level in levels:
        spelled = cleaned(level)
        if not spelled:
            raise UnlearnableLevels(FieldError("body.levels", "a level is blank"))
        if folded(level) in seen:
            known.append(level)
        else:
            seen.add(folded(level))
            added.append(spelled)
    return added, known


def _with_levels(schema: FeatureSchema, column: Column, added: list[str]) -> FeatureSchema:
    levels = [*(level for level in column.levels if level != column.other), *added, *([column.other] if column.other else [])]
    missing = [value for value in column.missing_values if value not in added]
    document = schema.model_dump(mode="json")
    for part in document["columns"]:
        if part["name"] == column.name:
            part |= {"levels": levels, "missing_values": missing}
    try:
        return FeatureSchema.model_validate(document)
    except ValidationError as error:
        raise UnlearnableLevels(*(FieldError("body.levels", str(fault["msg"])) for fault in error.errors()[:5])) from error


def _learned(schema: FeatureSchema, column: Column, added: list[str], known: list[str], kept: str | None, models: Models) -> LearnedLevels:
    steps = []
    if added:
        steps = [
            f"Import the file again, at the earliest in 30 seconds: customers with {listed(added)} are then stored with it.",
            _model_step(models, column),
        ]
    return LearnedLevels(
        column=column.name,
        label=column.label,
        added=added,
        known=known,
        levels=list(schema.column(column.name).levels),
        digest=digest_of(schema),
        kept=kept,
        next_steps=steps,
    )


def _model_step(models: Models, column: Column) -> str:
    try:
        pointer = champion(models)
    except CorruptModel:
        pointer = None
    if pointer is None:
        return "Train a model when customers with a known outcome are imported."
    taken = f'"{column.other}"' if column.other else "unknown"
    return (
        f"The model in service ({pointer.version}) goes on scoring and takes the new levels as {taken}. "
        "A model that is trained now learns them."
    )
