"""Features and labels of customers at anchors."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypedDict

import duckdb

from retainstream.engine.schema import FeatureSchema
from retainstream.engine.sources.delivered import Delivered, Finding

type Progress = Callable[[str, float], None]
"""Called with a step in words and the share of it that is done."""


class AnchorReport(TypedDict):
    """The rows of an anchor. Without labels, `left` and `stayed` are 0."""

    anchor: str
    labelled: bool
    rows: int
    left: int
    stayed: int


@dataclass(frozen=True)
class Built:
    """A table of features and labels.

    table: the name of a DuckDB table with the columns schema.id.header, anchor (ISO day), the headers of the schema's columns, and
        schema.label.header (1 left, 0 stayed, null not known), sorted by anchor and id. A row is a customer at an anchor.
    """

    table: str
    rows: int
    anchors: list[AnchorReport]
    findings: list[Finding] = field(default_factory=list)


def build(
    connection: duckdb.DuckDBPyConnection,
    schema: FeatureSchema,
    delivered: Delivered,
    anchors: Sequence[int],
    *,
    progress: Progress = lambda _step, _share: None,
) -> Built:
    """The features of each customer at each anchor, from what lies strictly before it, and the label, from what lies strictly after it.

    Args:
        delivered: sources that were read on this connection (`delivered.read_sources`).
        anchors: days since 1970-01-01 (`anchors.anchor_days`).

    Raises:
        ValueError: the schema has no sources.
    """
    raise NotImplementedError
