"""A finding about a table, with its evidence."""

from dataclasses import dataclass, field
from typing import Literal

type Sort = Literal[
    "identifier",
    "duplicates",
    "leak",
    "missingness",
    "contamination",
    "few_outcomes",
    "churn_rate",
    "undated",
    "set_aside",
    "question",
    "note",
]


@dataclass(frozen=True)
class Finding:
    """A trap, a question that the data cannot answer, or a note for a person. `evidence` holds the figures of the sentence."""

    sort: Sort
    text: str
    columns: tuple[str, ...] = ()
    evidence: dict[str, float | int | str] = field(default_factory=dict)

    @property
    def is_warning(self) -> bool:
        return self.sort not in ("question", "note")


class Findings:
    """The findings of a draft by their sort."""

    findings: list[Finding]

    @property
    def warnings(self) -> list[Finding]:
        return [finding for finding in self.findings if finding.is_warning]

    @property
    def notes(self) -> list[Finding]:
        return [finding for finding in self.findings if finding.sort == "note"]

    @property
    def questions(self) -> list[Finding]:
        return [finding for finding in self.findings if finding.sort == "question"]
