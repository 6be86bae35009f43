"""A change of the active feature schema: the differences, the customers who would not fit, and the next steps."""

import time
from collections.abc import Iterator
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool

from retainstream.engine.records import Customer
from retainstream.engine.schema import FeatureSchema
from retainstream.engine.schema.changes import Change, changes, listed, only_more_levels, other_inputs
from retainstream.engine.schema.fit import Fit, Misfit
from retainstream.registry.active_schema import ActiveSchema, digest_of, replace_active_schema, stored_active
from retainstream.registry.champion import champion
from retainstream.registry.errors import CorruptModel, UnknownVersion
from retainstream.registry.loading import schema_of
from retainstream.registry.versions import get
from retainstream.storage.customers import Customers
from retainstream.storage.documents import Documents
from retainstream.storage.errors import Conflict
from retainstream.storage.models import Models
from retainstream.storage.table import Key

MOST_CHECKED = 10_000
"""Customers that a check reads. A smaller base is checked as a whole."""
LONGEST_SECONDS = 12.0
"""A check ends when this time is over: API Gateway waits for 30 s, and customers of 500 columns are read and checked slowly."""
_SEGMENTS, _PAGE = 10, 250
_MOST_CHANGES_SHOWN = 600


class SchemaCheck(BaseModel):
    """A feature schema to compare with the active one."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    document: str = Field(min_length=1, max_length=500_000, description="The schema as text, YAML or JSON")


class SchemaPut(SchemaCheck):
    """A feature schema to activate."""

    replaces: str = Field(pattern=r"^[0-9a-f]{64}$", description="`replaces` of the comparison: the digest of the active schema")
    accept_refused: StrictBool = Field(default=False, description="true: activate it although customers do not fit")


class ColumnChange(BaseModel):
    """The difference of one column, or of the schema as a whole."""

    kind: Literal["added", "removed", "changed"]
    column: str = Field(description="The column's name; empty for the schema as a whole")
    label: str
    text: str = Field(description="The differences in words")


class ColumnMisfit(BaseModel):
    """A fault that customers have in one column."""

    column: str
    label: str
    customers: int = Field(description="Checked customers with this fault")
    text: str = Field(description="The fault in a sentence, with the number of customers and the number of checked customers")


class CheckedCustomers(BaseModel):
    """The customers that were compared with the new schema."""

    checked: int = Field(description="Customers that were read")
    complete: bool = Field(description="Whether these are all customers; otherwise they are a sample")
    refused: int = Field(description="Checked customers with a value that the new schema does not allow, or without a required value")
    misfits: list[ColumnMisfit] = Field(description="The faults, most frequent first")


class ModelEffect(BaseModel):
    """The model in service beside the new schema."""

    version: str
    same_columns: bool = Field(description="Whether the model was trained on the features of the new schema")
    text: str


class SchemaChange(BaseModel):
    """A schema beside the active one."""

    name: str
    title: str
    digest: str = Field(description="SHA-256 of the new schema, the same for equal schemas")
    replaces: str = Field(description="SHA-256 of the active schema that it was compared with; PUT takes it as `replaces`")
    active: bool = Field(description="Whether the new schema is active now")
    same: bool = Field(description="Whether it equals the active schema: nothing is to be done")
    kept: str | None = Field(description="The id of the schema that was replaced, for going back")
    changes: list[ColumnChange]
    customers: CheckedCustomers
    model: ModelEffect | None = Field(description="null before the first promotion")
    next_steps: list[str] = Field(description="Sentences for the administrator, in the order of the steps")


class SchemaChangedMeanwhile(Conflict):
    """The active schema is another one than the caller compared with."""


class CustomersRefused(ValueError):
    """Customers do not fit the schema, and the caller has not accepted that."""

    def __init__(self, change: SchemaChange) -> None:
        super().__init__("customers do not fit")
        self.change = change


def compare_schema(documents: Documents, customers: Customers, models: Models, schema: FeatureSchema) -> SchemaChange:
    """The schema beside the active one and the stored customers. Nothing is changed.

    Raises:
        StorageUnavailable
    """
    return _compared(stored_active(documents), documents, customers, models, schema)


def put_schema(
    documents: Documents, customers: Customers, models: Models, schema: FeatureSchema, *, replaces: str, accept_refused: bool = False
) -> SchemaChange:
    """Makes a schema the active one, and keeps the one before. The active schema itself changes nothing.

    Args:
        replaces: the digest of the schema that the caller compared with.
        accept_refused: activate it although customers do not fit.

    Raises:
        SchemaChangedMeanwhile: another schema is active than `replaces`.
        CustomersRefused: customers do not fit.
        StorageUnavailable
    """
    before = stored_active(documents)
    if before.schema != schema and before.digest != replaces:
        raise SchemaChangedMeanwhile(before.digest)
    change = _compared(before, documents, customers, models, schema)
    if change.same:
        return change
    if change.customers.refused and not accept_refused:
        raise CustomersRefused(change)
    try:
        kept = replace_active_schema(documents, schema, before)
    except Conflict as error:
        raise SchemaChangedMeanwhile(before.digest) from error
    return change.model_copy(update={"active": True, "kept": kept})


def _compared(before: ActiveSchema, documents: Documents, customers: Customers, models: Models, schema: FeatureSchema) -> SchemaChange:
    same = before.schema == schema
    differences = changes(before.schema, schema) if before.schema else []
    checked = CheckedCustomers(checked=0, complete=True, refused=0, misfits=[]) if same else _checked(customers, before.schema, schema)
    model = _model_effect(documents, models, schema)
    return SchemaChange(
        name=schema.name,
        title=schema.title,
        digest=digest_of(schema),
        replaces=before.digest,
        active=same,
        same=same,
        kept=None,
        changes=[
            ColumnChange(kind=change.kind, column=change.column, label=change.label, text="; ".join(change.details))
            for change in differences[:_MOST_CHANGES_SHOWN]
        ],
        customers=checked,
        model=model,
        next_steps=[] if same else list(_next_steps(schema, before.schema, differences, checked, model)),
    )


def _checked(customers: Customers, before: FeatureSchema | None, schema: FeatureSchema) -> CheckedCustomers:
    fit, ends_at, complete = Fit(schema, before), time.monotonic() + LONGEST_SECONDS, True
    for page in _spread(customers):
        if fit.checked >= MOST_CHECKED or time.monotonic() > ends_at:
            complete = False
            break
        fit.add(customer["features"] for customer in page)
    misfits = fit.misfits()
    return CheckedCustomers(
        checked=fit.checked,
        complete=complete,
        refused=fit.refused,
        misfits=[
            ColumnMisfit(column=misfit.column, label=misfit.label, customers=misfit.customers, text=_sentence(misfit, fit.checked))
            for misfit in misfits
        ],
    )


def _spread(customers: Customers) -> Iterator[list[Customer]]:
    """All customers in pages, in turn from each segment of the table: the first ones are spread over it."""
    starts: list[tuple[int, Key | None]] = [(segment, None) for segment in range(_SEGMENTS)]
    while starts:
        segment, start = starts.pop(0)
        page = customers.page(_PAGE, start, segment=segment, segments=_SEGMENTS)
        if page.items:
            yield page.items
        if page.next_key is not None:
            starts.append((segment, page.next_key))


def _sentence(misfit: Misfit, checked: int) -> str:
    count = f"{misfit.customers:,} of {_number(checked, 'checked customer')}"
    if misfit.detail == "is required":
        return f"{misfit.label}: {count} {_have(misfit.customers)} no value, and the new schema requires one."
    example = f", for example {listed(misfit.examples)}" if misfit.examples else ""
    return f"{misfit.label}: {count} {_have(misfit.customers)} a value that the new schema does not allow{example}. It {misfit.detail}."


def _model_effect(documents: Documents, models: Models, schema: FeatureSchema) -> ModelEffect | None:
    try:
        pointer = champion(models)
        if pointer is None:
            return None
        trained_on = schema_of(pointer.record or get(models, pointer.version), documents)
    except (CorruptModel, UnknownVersion):
        version = pointer.version if pointer else "unknown"
        return ModelEffect(version=version, same_columns=False, text="The model in service cannot be read. Train a new one.")
    others = other_inputs(trained_on, schema)
    if not others:
        text = (
            f"The model in service ({pointer.version}) was trained on the same features and keeps scoring. "
            "It shows the words, actions and money of the schema that it was trained on."
        )
    elif only_more_levels(trained_on, schema):
        text = (
            f"The model in service ({pointer.version}) was trained before levels were added ({listed(others)}). It keeps scoring, and "
            "takes the new levels as it takes any level that it does not know. A model that is trained now learns them."
        )
    else:
        text = (
            f"The model in service ({pointer.version}) was trained on other features (different: {listed(others)}). It keeps scoring by "
            "its own columns, and takes a value that a customer lacks as unknown: do not rely on its scores for customers with new columns."
        )
    return ModelEffect(version=pointer.version, same_columns=not others, text=text)


def _next_steps(
    schema: FeatureSchema, before: FeatureSchema | None, differences: list[Change], checked: CheckedCustomers, model: ModelEffect | None
) -> Iterator[str]:
    if schema.id.numbered:
        yield "This schema numbers customers by row, so files cannot be imported: name an id column before you import."
    yield "Wait 30 seconds before you import: all functions use the new schema then."
    if not checked.checked:
        yield "Import your customers."
    elif checked.refused:
        yield (
            "Import the customers who do not fit again, with values that fit, or remove them. They stay stored as they are; "
            "until then, training can fail or its model is not promoted."
        )
    elif before is None or before.group != schema.group or any(change.kind == "added" for change in differences):
        yield "Import your customers again, so that they have the new columns and the new group."
    if model is None:
        yield "Train a model when customers with a known outcome are imported."
    else:
        yield f"Train a model. Until one is promoted, {model.version} stays in service with the schema that it was trained on."


def _number(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _have(count: int) -> str:
    return "has" if count == 1 else "have"
