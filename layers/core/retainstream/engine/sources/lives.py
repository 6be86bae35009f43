"""The lives of customers, from their sources."""

import duckdb

from retainstream.engine.schema import FeatureSchema
from retainstream.engine.sources.delivered import Delivered


def lives(connection: duckdb.DuckDBPyConnection, schema: FeatureSchema, delivered: Delivered) -> str:
    """The name of a DuckDB table with a row for each life: customer_id (VARCHAR) and began_on, first_seen_on, left_on and observed_until
    (INTEGER days since 1970-01-01, null where not known), sorted by customer_id and first_seen_on.

    Raises:
        ValueError: the schema has no sources.
    """
    raise NotImplementedError
