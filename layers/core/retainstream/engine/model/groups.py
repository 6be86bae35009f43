"""The groups of customers, by the schema."""

from collections.abc import Sequence

from retainstream.engine.schema import ALL, FeatureSchema


class UnknownGroup(ValueError):
    """The schema does not have this group; `known` are its groups."""

    def __init__(self, known: Sequence[str]) -> None:
        super().__init__("unknown group")
        self.known = tuple(known)


def groups_of(schema: FeatureSchema, group: str | None = None) -> tuple[str, ...]:
    """The requested group, or all groups: those of the schema, and ALL for customers without a group.

    Raises:
        UnknownGroup: the schema does not have the requested group.
    """
    if group is not None:
        if group not in schema.groups:
            raise UnknownGroup(schema.groups)
        return (group,)
    return schema.groups if ALL in schema.groups else (*schema.groups, ALL)
