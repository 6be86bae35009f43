"""A first schema for a file, with what its author may correct."""

from collections.abc import Mapping

from pydantic import BaseModel, Field

from retainstream.drafts.columns import MOST_EXAMPLES, MOST_UNREAD, ColumnOfFile, UnreadValue, Use
from retainstream.drafts.sent_file import SentFile, opened
from retainstream.drafts.words import Meaning, OutcomeWord, as_outcomes, label_with, texts_of, words_of
from retainstream.engine.drafting.candidates import likely_ids, likely_labels
from retainstream.engine.drafting.columns import reason_to_leave_out
from retainstream.engine.drafting.drafting import Draft, draft, header_of
from retainstream.engine.drafting.kinds import ChosenKind
from retainstream.engine.drafting.names import label_for
from retainstream.engine.drafting.profiles import Profile, profiles_of
from retainstream.engine.drafting.yaml_document import yaml_of
from retainstream.engine.schema import Column, FeatureSchema
from retainstream.engine.tables.columnar import TextTable, read_text
from retainstream.engine.tables.outcomes import Outcome, outcome_reader
from retainstream.engine.tables.problems import UnreadableTable


class DraftRequest(SentFile):
    """A file with a row for each customer, and the corrections of its author. Without `label` it is only described."""

    label: str | None = Field(default=None, min_length=1, max_length=500, description="The header of the column with the outcome")
    id: str | None = Field(default=None, min_length=1, max_length=500, description="The header of the id column. Default: detected")
    positive: str | None = Field(default=None, min_length=1, max_length=200, description="A word for left. Default: detected")
    words: dict[str, Meaning] = Field(
        default_factory=dict,
        max_length=300,
        description="What the texts in the column with the outcome mean; a text that is not named is unreadable. Default: detected",
    )
    kinds: dict[str, ChosenKind] = Field(
        default_factory=dict,
        max_length=500,
        description="Kinds of columns by header, where they were recognised wrongly. A column with a kind is in the model, unless a date",
    )
    name: str | None = Field(default=None, pattern=r"^[a-z][a-z0-9_-]{0,40}$", description="The schema's name")
    title: str | None = Field(default=None, min_length=1, max_length=100)


class DraftOfSchema(BaseModel):
    """A first schema for a file."""

    rows: int
    columns: list[ColumnOfFile] = Field(description="The columns of the file, in its order")
    likely_labels: list[str] = Field(description="Headers of columns that may hold the outcome, the likeliest first")
    likely_ids: list[str] = Field(description="Headers of columns that may hold the id, the likeliest first")
    feature_schema: FeatureSchema | None = Field(description="null where the request names no label")
    document: str | None = Field(description="The same with remarks, as YAML: what PUT /api/model/schema takes")
    outcomes: list[OutcomeWord] = Field(description="The texts in the column with the outcome, most frequent first, at most 20")
    left_share: float | None = Field(description="The share of customers who left among those whose outcome is known")
    warnings: list[str]
    questions: list[str]
    notes: list[str]


def draft_of(request: DraftRequest) -> DraftOfSchema:
    """The draft.

    Raises:
        UnreadableTable: the file is not a table, has no such column, or no column that tells who left.
    """
    with opened(request) as opened_table:
        table = read_text(opened_table)
    if request.id is not None:
        header_of(table, "id", request.id)
    kinds = {header_of(table, f"kind {kind}", header): kind for header, kind in request.kinds.items()}
    profiles = list(profiles_of(table))
    labels, ids = likely_labels(profiles), likely_ids(profiles)
    if request.label is None:
        columns = [_undrafted(profile) for profile in profiles]
        return _view(table, columns, labels, ids, None, [])
    try:
        drafted = _drafted(table, request, request.label, kinds)
    except UnreadableTable as error:
        words = texts_of(table, request.label, request.words)
        if words is None or not any(problem.column == request.label for problem in error.problems):
            raise
        view = _view(table, [_undrafted(profile) for profile in profiles], labels, ids, None, words)
        return view.model_copy(update={"questions": error.first_problems})
    return _view(table, _columns(profiles, drafted), labels, ids, drafted, _words(table, request.label, drafted))


def _drafted(table: TextTable, request: DraftRequest, label: str, kinds: Mapping[str, ChosenKind]) -> Draft:
    """The draft of a file, with the words for the outcome that the request names."""
    positive = request.positive
    if request.words:
        table, positive = as_outcomes(table, label, request.words), Outcome.LEFT
    drafted = draft(table, label, id_header=request.id, positive=positive, name=request.name or "customers", kinds=kinds)
    changes: dict[str, object] = {"title": request.title} if request.title else {}
    if request.words:
        changes["label"] = label_with(drafted.schema.label, request.words)
    drafted.schema = drafted.schema.model_copy(update=changes)
    return drafted


def _view(
    table: TextTable, columns: list[ColumnOfFile], labels: list[str], ids: list[str], drafted: Draft | None, words: list[OutcomeWord]
) -> DraftOfSchema:
    return DraftOfSchema(
        rows=len(table),
        columns=columns,
        likely_labels=labels,
        likely_ids=ids,
        feature_schema=drafted.schema if drafted else None,
        document=yaml_of(drafted) if drafted else None,
        outcomes=words,
        left_share=drafted.churned / drafted.known if drafted and drafted.known else None,
        warnings=[finding.text for finding in drafted.warnings] if drafted else [],
        questions=[finding.text for finding in drafted.questions] if drafted else [],
        notes=[finding.text for finding in drafted.notes] if drafted else list(table.notes),
    )


def _columns(profiles: list[Profile], drafted: Draft) -> list[ColumnOfFile]:
    schema = drafted.schema
    by_header: dict[str, Column] = {column.header: column for column in schema.columns}
    uses: dict[str, Use] = {schema.label.header: "outcome"}
    if not schema.id.numbered:
        uses[schema.id.header] = "id"
    columns = []
    for profile in profiles:
        header = profile.name
        column = by_header.get(header)
        remarks = drafted.left_out.get(header, "") if column is None else " ".join(drafted.remarks.get(column.name, ()))
        use: Use = "not read" if column is None else "feature" if column.feature else "not in the model"
        columns.append(_described(profile, column, uses.get(header, use), remarks))
    return columns


def _undrafted(profile: Profile) -> ColumnOfFile:
    reason = reason_to_leave_out(profile)
    return _described(profile, None, "not read" if reason else "feature", reason)


def _described(profile: Profile, column: Column | None, use: Use, reason: str) -> ColumnOfFile:
    odd = {text: int(profile.counts[profile.text.values.index(text)]) for text in profile.odd}
    return ColumnOfFile(
        header=profile.name,
        column=column.name if column else None,
        label=column.label if column else label_for(profile.name),
        kind=column.kind if column else profile.holds,
        use=use,
        examples=[text[:200] for text, _ in profile.levels[:MOST_EXAMPLES]],
        missing=profile.missing_count,
        unread=[
            UnreadValue(value=text[:200], reason=f"is not a {'date' if profile.holds == 'date' else 'number'}", rows=rows)
            for text, rows in sorted(odd.items(), key=lambda item: -item[1])[:MOST_UNREAD]
        ],
        reason=reason,
    )


def _words(table: TextTable, label: str, drafted: Draft) -> list[OutcomeWord]:
    outcome = outcome_reader(drafted.schema.label)
    return words_of(table, label, {text: outcome(text) for text in table.columns[label].values})
