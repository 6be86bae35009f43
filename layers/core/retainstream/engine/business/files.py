"""The files that the generated business exports, as headers and lines of cells."""

from collections.abc import Iterable, Iterator, Sequence

from retainstream.engine.business import streams
from retainstream.engine.business.business import Business
from retainstream.engine.business.calendar import day_of
from retainstream.engine.schema import default_schema

type Line = Sequence[object]
type Table = tuple[Line, Iterable[Line]]
"""A header, and the lines below it."""

_WORDS = {True: "true", False: "false", None: ""}


def tables(business: Business) -> Iterator[tuple[str, Table]]:
    """Every file by its name: profiles, subscriptions, events, the truth, and a table for each month."""
    yield "profiles.csv", (streams.Profile._fields, streams.profiles(business))
    yield "subscriptions.csv", (streams.Subscription._fields, streams.subscriptions(business))
    yield "events.csv", (streams.Event._fields, streams.events(business))
    yield "truth.csv", (streams.Truth._fields, ((*truth[:-1], _WORDS[truth.churned]) for truth in streams.truths(business)))
    for place, anchor in enumerate(business.anchors):
        yield f"monthly/{day_of(anchor).isoformat()}.csv", monthly(business, place)


def monthly(business: Business, place: int) -> Table:
    """The table of the anchor at a place, in the default schema's columns and with the days of the rows and lives."""
    schema, day = default_schema(), day_of(business.anchors[place]).isoformat()
    names = [column.name for column in schema.columns]
    header = (schema.id.column, *names, "features_as_of", "outcomes_as_of", "began_on", "left_on")
    rows = streams.monthly_table(business, place)
    lines = ((row.customer_id, *(row.features.get(name) for name in names), day, day, row.began_on, row.left_on) for row in rows)
    return header, lines
