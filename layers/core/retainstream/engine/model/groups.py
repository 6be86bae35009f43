"""The groups that customers are in, by the schema."""

from collections.abc import Sequence

from retainstream.engine.schema import ALL, FeatureSchema


class UnknownGroup(ValueError):
    """A group that the schema does not have; `known` are those it has."""

    def __init__(self, known: Sequence[str]) -> None:
        super().__init__("unknown group")
        self.known = tuple(known)


def groups_of(schema: FeatureSchema, group: str | None = None) -> tuple[str, ...]:
    """The one group asked for, or all groups: the schema's, and ALL for customers whose group is missing, where it may be.

    Raises:
        UnknownGroup: the schema does not have the one asked for.
    """
    if group is not None:
        if group not in schema.groups:
            raise UnknownGroup(schema.groups)
        return (group,)
    without = schema.group is not None and schema.column(schema.group).missing and ALL not in schema.groups
    return (*schema.groups, ALL) if without else schema.groups
