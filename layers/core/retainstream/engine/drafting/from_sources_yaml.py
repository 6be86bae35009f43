"""A draft from sources as a YAML document that a person completes."""

from collections.abc import Iterator

from retainstream.engine.drafting.from_sources import SourcesDraft
from retainstream.engine.drafting.yaml_document import column_lines, comment, flow, heading, left_out_lines, money_lines
from retainstream.engine.schema import ANY


def yaml_of_sources(draft: SourcesDraft) -> str:
    """The schema with comments: the events by kind, remarks, questions, what is left out, and fields to fill in."""
    return "\n".join(_lines(draft)) + "\n"


def _lines(draft: SourcesDraft) -> Iterator[str]:
    schema = draft.schema
    yield from comment(
        f"Drafted from {draft.counted}, {draft.first_day} to {draft.last_day}: {draft.customers:,} customers, {draft.leavers:,} of them "
        "have left by the rule below."
    )
    yield from comment(
        "Read it through: people will see the labels and phrases. Worth adding to columns: monotone (increasing or decreasing, if churn "
        "must rise or fall with the value) and action (what you can do about it)."
    )
    for finding in draft.questions:
        yield from comment(f"Question: {finding.text}")
    yield from heading(schema)
    yield f"horizon_days: {schema.horizon_days}  # days within which leaving counts as churn"
    yield from money_lines(draft.price)
    yield "sources:"
    for name in ("profile", "subscriptions", "events"):
        document = getattr(schema.sources, name)
        if document is not None:
            yield f"  {name}: {flow(**document.model_dump(exclude_none=True, exclude_defaults=True))}"
    yield f"churn: {flow(**schema.churn.model_dump(exclude_defaults=True))}  # {schema.label.meaning}" if schema.churn else ""
    yield f"anchors: {schema.anchors}"
    if schema.moments:
        yield f"moments: {flow(anchor=schema.moments.anchor)}  # the column of the computed table with the day of a row"
    yield from _kinds(draft)
    yield "columns:"
    for column in schema.columns:
        for remark in draft.remarks.get(column.name, []):
            yield from comment(remark, "  ")
        yield from column_lines(column, draft.seen.get(column.name))
    yield from left_out_lines(draft.left_out)


def _kinds(draft: SourcesDraft) -> Iterator[str]:
    if not draft.rhythms:
        return
    yield "# Events by kind; the windows of the columns follow the usual days between two events of a customer."
    for rhythm in draft.rhythms:
        gap = f", usually {rhythm.gap:g} days apart" if rhythm.gap is not None else ""
        name = "all kinds" if rhythm.kind == ANY else rhythm.kind
        yield from comment(f"{name}: {rhythm.events:,} events of {rhythm.customers:,} customers{gap}", hanging="    ")
