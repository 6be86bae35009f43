"""Whether stored customers fit a feature schema."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from retainstream.engine.records import Features
from retainstream.engine.schema.feature_schema import FeatureSchema
from retainstream.engine.schema.validation import FieldError, checked_features

_MOST_EXAMPLES = 3


@dataclass(frozen=True)
class Misfit:
    """A column whose values the schema does not allow, the number of these customers, and a sentence about the fault.

    `examples` are values that are levels of the schema that the customers came with: no other value of a customer is repeated.
    """

    column: str
    label: str
    customers: int
    detail: str
    examples: tuple[str, ...]


class Fit:
    """Counts customers who do not fit a schema. A value of a column that the schema does not have is no fault: nothing reads it. Nor is a
    value that a customer lacks already although the schema before required it: the cell could not be read.
    """

    def __init__(self, schema: FeatureSchema, before: FeatureSchema | None = None) -> None:
        """`before` is the schema that the customers came with, if it is known."""
        self._schema = schema
        self._lacking = frozenset(column.name for column in before.columns if not column.missing) if before else frozenset[str]()
        self._known = {column.name: frozenset(column.levels) for column in before.columns} if before else {}
        self._counts = Counter[tuple[str, str]]()
        self._examples: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
        self.checked = 0
        self.refused = 0

    def add(self, customers: Iterable[Features]) -> None:
        """Counts these customers, by their features."""
        for features in customers:
            self.checked += 1
            faults = [fault for fault in checked_features(self._schema, features)[1] if self._is_fault(fault, features)]
            self.refused += bool(faults)
            for fault in faults:
                place, value = (fault.field, fault.detail), features.get(fault.field)
                self._counts[place] += 1
                if isinstance(value, str) and value in self._known.get(fault.field, ()):
                    self._examples[place][value] += 1

    def _is_fault(self, fault: FieldError, features: Features) -> bool:
        return fault.field in self._schema.names and (fault.field in features or fault.field not in self._lacking)

    def misfits(self) -> list[Misfit]:
        """The faults, most frequent first."""
        return [
            Misfit(
                column,
                self._schema.column(column).label,
                count,
                detail,
                tuple(value for value, _ in self._examples[column, detail].most_common(_MOST_EXAMPLES)),
            )
            for (column, detail), count in sorted(self._counts.items(), key=lambda counted: (-counted[1], counted[0]))
        ]
