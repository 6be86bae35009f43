"""The contents of a feature schema document."""

from collections import Counter
from functools import cache, cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from retainstream.engine.records import Value
from retainstream.engine.schema.part import Part
from retainstream.engine.schema.sources import Anchors, Churn, Origin, Sources, source_faults
from retainstream.engine.schema.spelling import folded

type Kind = Literal["number", "integer", "boolean", "category", "date"]
type ColumnName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,62}$")]

MAX_COLUMNS = 500
"""The most columns of a schema: a prediction with all values and contributions is a stored item of at most 400 kB."""

MAX_GROUPS = 64
"""The most levels of the group column: each has its own counters, and index partitions that every unfiltered page reads."""

MAX_GROUP_BYTES = 5_000
"""The most bytes (UTF-8) of all levels together: each names 32 counters, and all counters are an item of at most 400 kB."""

ANCHOR = "anchor"
"""The column of a computed table with the day that a row's features describe."""

ALL = "all"
"""The group of every customer if the schema has no group column."""


def _as_text(value: Any) -> Any:
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _as_word(value: Any) -> Any:
    return str(value).lower() if isinstance(value, int | float) else value


type _Spelled = Annotated[str, Field(min_length=1, max_length=200)]
type _Text = Annotated[_Spelled, BeforeValidator(_as_text, json_schema_input_type=_Spelled | float)]
"""A value as it is spelled in a file; a document may write a number without quotes."""
type _Blankable = Annotated[str, Field(max_length=200)]
type _Word = Annotated[_Spelled, BeforeValidator(_as_word, json_schema_input_type=_Spelled | float | bool)]
type _WordOrBlank = Annotated[_Blankable, BeforeValidator(_as_word, json_schema_input_type=_Blankable | float | bool)]
"""A value of the label; a document may write a number, true or false without quotes."""

_SOURCE = Field(default="", max_length=200, description="The column's header in a file, when it is not the name")


class Action(Part):
    """What the business can do when this column drives a customer's risk."""

    title: str = Field(min_length=1, max_length=120, description="The action in a few words, as an instruction")
    cost: float | None = Field(
        default=None, ge=0, description="Cost for a customer who takes it, in the currency; the schema's offer cost when absent"
    )
    save_rate: float | None = Field(
        default=None,
        gt=0,
        le=1,
        description="Share that this action keeps of the customers who would leave for its column; the schema's save rate when absent",
    )


class Column(Part):
    """One column of a customer."""

    name: ColumnName
    source: str = _SOURCE
    kind: Kind
    label: str = Field(min_length=1, max_length=80, description="What people call it")
    meaning: str = Field(default="", max_length=300, description="What it measures, over which period")
    phrase: str = Field(
        default="",
        max_length=120,
        description="A value in a sentence: '{value} failed payment{s} in 90 days', where {s} is an s unless the value is 1. A share or a "
        "change is spoken by {percent} (40%), {fewer} (60% fewer, 20% more) or {less}: '{fewer} logins in 30 days than in the 30 before'",
    )
    phrases: dict[str, str] = Field(
        default={}, description="Sentences for single values, where the phrase does not read well: a level, or true and false"
    )
    unit: str = Field(default="", max_length=30)
    min: float | None = None
    max: float | None = None
    levels: tuple[_Text, ...] = Field(default=(), description="The values of a category, in the order people list them")
    other: str = Field(default="", description="The level that stands for every value not listed; without it such a value is an error")
    format: str = Field(
        default="",
        max_length=40,
        description="How a file writes a date, as in %d.%m.%Y, epoch seconds, epoch milliseconds or excel serial; 2026-01-31 when absent. "
        "Of a number: its unit, as in # months, or h:mm:ss, which is read as minutes",
    )
    decimal: Literal[".", ","] | None = Field(
        default=None, description="The decimal mark of a file's numbers; when absent, the mark that most of the file's cells have"
    )
    missing: bool = Field(default=False, description="Whether a customer may lack it")
    missing_values: tuple[_Text, ...] = Field(
        default=(), description="Values that mean missing, such as -999, besides blanks, NA, N/A, null, NaN and ?"
    )
    feature: bool = Field(default=True, description="Whether the model may use it; of a date, the days from it to the day of the row")
    monotone: Literal["increasing", "decreasing"] | None = Field(
        default=None, description="How churn must move when the value grows; of a date, when more days have passed since it"
    )
    action: Action | None = None
    origin: Origin | None = Field(default=None, alias="from", description="How the column is computed from the sources")

    @model_validator(mode="after")
    def _agrees_with_kind(self) -> Self:
        for fault, sentence in (
            (self.kind == "category" and not self.levels, "a category needs its levels"),
            (self.kind != "category" and self.levels, "only a category has levels"),
            (len(set(self.levels)) != len(self.levels), "a level is listed twice"),
            (any(level != level.strip() for level in self.levels), "a level begins or ends with a space, which files are read without"),
            (self.other and self.other not in self.levels, "other must be one of the levels"),
            (
                self.kind in ("category", "date", "boolean") and (self.min is not None or self.max is not None),
                "only a number or an integer has a range",
            ),
            (self.min is not None and self.max is not None and self.min > self.max, "min is above max"),
            (self.kind == "category" and self.monotone, "a category has no monotone direction"),
            (self.format and not self._may_be_written_so, "only a date has a format, or a number with a unit (# months) or as h:mm:ss"),
            (self.kind not in ("number", "integer") and self.decimal, "only a number or an integer has a decimal mark"),
            (self.missing_values and not self.missing, "missing_values needs missing: true"),
            (set(self.missing_values) & set(self.levels), "a value is both a level and one of missing_values"),
            (self.origin and self.source, "source is the header in a file of customers; a column that is computed (from) has none"),
            *(self._faults_of(self.origin) if self.origin else ()),
            (set(self.phrases) - self._spoken_values, "phrases may speak only about a level, or about true and false of a boolean"),
        ):
            if fault:
                raise ValueError(f"column {self.name}: {sentence}")
        return self

    def _faults_of(self, origin: Origin) -> tuple[tuple[bool, str], ...]:
        numeric = self.kind in ("number", "integer")
        return (
            (
                origin.profile is None and origin.subscriptions != "plan" and not numeric,
                "from gives a number; the kind must be number or integer",
            ),
            (origin.subscriptions == "plan" and self.kind != "category", "from gives the plan; the kind must be category"),
            (
                self.kind == "integer" and origin.profile is None and origin.subscriptions != "price" and not origin.is_whole,
                "from gives a number with a fraction; the kind must be number",
            ),
            (origin.may_be_blank and not self.missing, "a customer without such events has no value; add missing: true"),
        )

    @cached_property
    def places(self) -> dict[str, int]:
        """The place of each level in the column's list."""
        return {level: place for place, level in enumerate(self.levels)}

    @property
    def _may_be_written_so(self) -> bool:
        return self.kind == "date" or (self.kind in ("number", "integer") and ("#" in self.format or self.format == "h:mm:ss"))

    @property
    def _spoken_values(self) -> set[str]:
        return {"true", "false"} if self.kind == "boolean" else set(self.levels)

    @property
    def header(self) -> str:
        """The column's header in a file."""
        return self.source or self.name

    @property
    def unit_of_input(self) -> str:
        """The unit of the model's numbers, which of a date are the days before the day of the row."""
        return "days before" if self.kind == "date" else self.unit

    def phrase_for(self, value: Value) -> str:
        """The sentence for a value, with the placeholder {value}; empty if the schema has none."""
        spoken = str(value).lower() if isinstance(value, bool) else str(value)
        return self.phrases.get(spoken, self.phrase)


class Id(Part):
    """What tells customers apart."""

    column: ColumnName
    source: str = _SOURCE
    label: str = "Customer"
    numbered: bool = Field(
        default=False,
        description="Files carry no id: customers are numbered by row. Enough to evaluate, but the next file cannot update anybody",
    )

    @property
    def header(self) -> str:
        """The column's header in a file."""
        return self.source or self.column


class Label(Part):
    """What is predicted."""

    column: ColumnName
    source: str = _SOURCE
    positive: Value = Field(description="The value that means the customer left")
    left: tuple[_Word, ...] = Field(default=(), max_length=100, description="Further values that mean the customer left")
    stayed: tuple[_WordOrBlank, ...] = Field(
        default=(), max_length=100, description='The values that mean the customer stayed; "" is a blank cell'
    )
    not_known: tuple[_Word, ...] = Field(default=(), max_length=100, description="The values that mean the outcome is not known yet")
    meaning: str = ""

    @model_validator(mode="after")
    def _says_one_thing_by_a_word(self) -> Self:
        left, stayed, not_known = (
            {folded(str(word)) for word in words} for words in ((self.positive, *self.left), self.stayed, self.not_known)
        )
        if twice := sorted((left & stayed) | (left & not_known) | (stayed & not_known)):
            raise ValueError(f"label: {', '.join(map(repr, twice))} is in two of the lists left (with positive), stayed and not_known")
        return self

    @property
    def header(self) -> str:
        """The column's header in a file."""
        return self.source or self.column


class Money(Part):
    """What a customer is worth and what keeping one costs."""

    price: ColumnName = Field(description="The column with what a customer pays a month")
    currency: str = Field(default="USD", pattern=r"^[A-Z]{3}$")
    months: float = Field(default=12, gt=0, description="The longest time for which a saved customer is counted, in months")
    margin: float = Field(default=1, gt=0, le=1, description="Share of the price that is left after the costs of serving the customer")
    offer_cost: float = Field(ge=0, description="Cost of a retention offer to a customer who takes it, in the currency")
    contact_cost: float = Field(default=0, ge=0, description="Cost of contacting a customer, taken or not, in the currency")
    save_rate: float = Field(gt=0, le=1, description="Share of the customers who would leave that an offer keeps")


class Moments(Part):
    """Where a file says what its rows are of. Each part is the header of a column; without it the import request says it for all rows."""

    features_as_of: str = Field(default="", max_length=200, description="The column with the day that a row's features describe")
    outcomes_as_of: str = Field(default="", max_length=200, description="The column with the day on which a row's outcome was known")
    began_on: str = Field(default="", max_length=200, description="The column with the day on which the customer became one")
    left_on: str = Field(default="", max_length=200, description="The column with the day on which the customer left; blank for others")
    anchor: str = Field(
        default="",
        max_length=200,
        description="The column with the day of a row in a training table: features of that day, outcome of the horizon after it",
    )
    format: str = Field(default="", max_length=40, description="How a file writes these days, as in %d.%m.%Y; 2026-01-31 when absent")
    one_horizon: bool = Field(
        default=False, description="Confirmed: a table without days has features of one moment, and outcomes of the horizon after it"
    )

    @model_validator(mode="after")
    def _names_each_day_once(self) -> Self:
        if self.anchor and (self.features_as_of or self.outcomes_as_of):
            raise ValueError("anchor is the day of features and outcome: leave out features_as_of and outcomes_as_of")
        if self.began_on and self.began_on == self.left_on:
            raise ValueError("began_on and left_on are the same column")
        return self

    @property
    def headers(self) -> dict[str, str]:
        """Header by part, of the parts that are columns."""
        parts = ("features_as_of", "outcomes_as_of", "began_on", "left_on", "anchor")
        return {part: header for part in parts if (header := getattr(self, part))}


class FeatureSchema(Part):
    """The feature schema of a business: columns with their meaning, and money."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_-]{0,40}$")
    title: str = Field(min_length=1, max_length=80)
    id: Id
    label: Label
    group: ColumnName | None = Field(default=None, description="The category column results are shown by, such as the plan")
    horizon_days: int = Field(ge=1, le=730, description="Days within which leaving counts as churn")
    money: Money | None = None
    moments: Moments | None = Field(default=None, description="Columns of a file that say what days its rows are of")
    columns: tuple[Column, ...] = Field(min_length=1, max_length=MAX_COLUMNS)
    sources: Sources | None = Field(default=None, description="Raw files that columns and outcomes are computed from")
    churn: Churn | None = Field(default=None, description="What leaving means in the sources")
    anchors: Anchors | None = Field(default=None, description="The days at which features are computed: monthly, weekly or a list of days")

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        names = [column.name for column in self.columns]
        headers = [column.header for column in self.columns] + [self.label.header] + ([] if self.id.numbered else [self.id.header])
        for listed, fault in ((names, "columns listed twice"), (headers, "headers read by two columns")):
            repeated = sorted(
                name for name, times in Counter(listed).items() if times > 1 and name not in (self.id.column, self.label.column)
            )
            if repeated:
                raise ValueError(f"{fault}: {', '.join(repeated)}")
        spellings: dict[str, str] = {}
        for name in names:
            if (other := spellings.setdefault(name.lower(), name)) != name:
                raise ValueError(
                    f"the names of the columns {other} and {name} differ only in upper and lower case; the history is read without case"
                )
        for role, name in (("id", self.id.column), ("label", self.label.column)):
            if name in names:
                raise ValueError(f"the {role} column {name} must not be among the columns")
        if not self.features:
            raise ValueError("no column is a feature")
        if self.moments:
            self._has_columns_of_its_own(self.moments)
        if self.group is not None and (self.group not in names or self.column(self.group).kind != "category"):
            raise ValueError(f"the group column {self.group} must be a category among the columns")
        if self.group is not None:
            self._has_countable_groups(self.column(self.group))
        if self.money and (self.money.price not in names or self.column(self.money.price).kind not in ("number", "integer")):
            raise ValueError(f"the price column {self.money.price} must be a number among the columns")
        self._computes_from_sources()
        return self

    def _has_columns_of_its_own(self, moments: Moments) -> None:
        used = {column.header: f"the column {column.name}" for column in self.columns if column.kind != "date"}
        used |= {self.label.header: "the label", self.id.header: "the id"}
        for part, header in moments.headers.items():
            if header in used:
                raise ValueError(f"moments: {part} is read from {header}, which is {used[header]}")
            if part != "began_on" and (feature := next((column for column in self.features if column.header == header), None)):
                raise ValueError(
                    f"moments: {part} is read from {header}, which the model must not use; add feature: false to {feature.name}"
                )

    def _computes_from_sources(self) -> None:
        faults = source_faults(self.sources, self.churn, self.horizon_days, {column.name: column.origin for column in self.columns})
        if fault := next(faults, ""):
            raise ValueError(fault)
        for broken, sentence in (
            (self.anchors and not self.sources, "anchors are days at which features are computed from sources; add sources"),
            (self.sources and self.id.numbered, "sources need an id that tells customers apart; numbered is not possible"),
            (
                self.churn and str(self.label.positive).lower() not in ("true", "1", "1.0"),
                "the outcome is computed by churn as 1 or 0; label.positive must be true or 1",
            ),
            (
                self.sources and self.anchor_header in {self.id.header, self.label.header, *(column.header for column in self.columns)},
                f"the computed table has a column {self.anchor_header} of its own; name yours otherwise",
            ),
        ):
            if broken:
                raise ValueError(sentence)

    @staticmethod
    def _has_countable_groups(group: Column) -> None:
        for fault, sentence in (
            (
                len(group.levels) > MAX_GROUPS,
                f"has {len(group.levels)} levels, more than {MAX_GROUPS}: group by a coarser column, or list frequent ones and an other",
            ),
            (
                sum(len(level.encode()) for level in group.levels) > MAX_GROUP_BYTES,
                f"has levels that are longer than {MAX_GROUP_BYTES:,} bytes together: group by a column with shorter ones",
            ),
            (
                group.missing and ALL in group.levels,
                f'may be missing, and has a level "{ALL}", which is how customers without a group are called: call the level otherwise',
            ),
        ):
            if fault:
                raise ValueError(f"the group column {group.name} {sentence}")

    @property
    def anchor_header(self) -> str:
        """The header of the anchors in a computed table."""
        return (self.moments.anchor if self.moments else "") or ANCHOR

    @property
    def silence_days(self) -> int:
        """Days without an event after which a customer has left; 0 where leaving means something else."""
        return self.churn.days if self.churn and self.churn.when == "no-event" else 0

    @cached_property
    def features(self) -> tuple[Column, ...]:
        """The columns that the model may use, in the order of its input."""
        return tuple(column for column in self.columns if column.feature)

    @cached_property
    def groups(self) -> tuple[str, ...]:
        """The values of the group column, or ALL alone without a group column."""
        return self.column(self.group).levels if self.group else (ALL,)

    @cached_property
    def _by_name(self) -> dict[str, Column]:
        return {column.name: column for column in self.columns}

    @cached_property
    def names(self) -> frozenset[str]:
        """The names of all columns."""
        return frozenset(self._by_name)

    def column(self, name: str) -> Column:
        """The column with this name.

        Raises:
            KeyError: the schema has no such column.
        """
        return self._by_name[name]


@cache
def default_schema() -> FeatureSchema:
    """The schema of a new stack; generated from examples/schemas/streaming.yaml."""
    return FeatureSchema.model_validate_json(Path(__file__).with_name("default.json").read_bytes())
