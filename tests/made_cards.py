"""Model cards for tests, made the way a training run makes them."""

from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from typing import Any

import numpy as np

from retainstream.engine.learning.card.assemble import CardSources, assemble
from retainstream.engine.learning.card.columns import column_facts
from retainstream.engine.learning.card.curves import score_histogram
from retainstream.engine.learning.card.document import Card
from retainstream.engine.learning.card.influence import explanation
from retainstream.engine.learning.checks import check
from retainstream.engine.learning.cross_fitted import cross_fitted
from retainstream.engine.learning.dataset import DataSet, collect
from retainstream.engine.learning.evaluate import evaluate
from retainstream.engine.learning.fit import Candidate, fit
from retainstream.engine.learning.parity import parity
from retainstream.engine.learning.reference import reference
from retainstream.engine.learning.split import split_of
from retainstream.engine.learning.synthetic import as_customers, generate
from retainstream.engine.records import NewCustomer
from retainstream.engine.schema import FeatureSchema, default_schema
from retainstream.runs.retraining.workbench import sides
from tests.made_lives import outcome

PASSED: dict[str, Any] = {"passed": True, "reasons": [], "notes": [], "champion": None, "comparison": None}
VOID = {"br", "col", "hr", "img", "input", "link", "meta"}


@cache
def synthetic_data(customers: int = 3_000) -> DataSet:
    return collect(default_schema(), [list(as_customers(generate(customers, 7), 1.0))])[0]


def candidate_of(data: DataSet) -> Candidate:
    return fit(sides(data)[0], version="20261121T090000Z-test0000", seconds=0.3)


@cache
def synthetic_candidate() -> Candidate:
    return candidate_of(synthetic_data())


def made(data: DataSet, verdict: dict[str, Any] | None = None) -> CardSources:
    """What a run over the data leaves for its card."""
    development, test = sides(data)
    candidate = synthetic_candidate() if data is synthetic_data() else candidate_of(data)
    model = candidate.model
    counts = {"customers": len(data) + 10, "labelled": len(data), "churned": int(data.churned.sum())}
    judged = verdict or PASSED
    figures = evaluate(model, development, test)
    figures["held_out"]["cross_fitted"] = cross_fitted(data, split_of(data), candidate)
    return CardSources(
        schema=data.schema,
        identity={
            "version": model.version,
            "run_id": "run-1",
            "created_at": "2026-11-21T09:00:00.123+00:00",
            "status": "registered" if judged["passed"] else "rejected",
        },
        figures={
            **figures,
            "parity": parity(model, test.rows).document(),
            "data": {**counts, "sources": {"api": len(data)}, "synthetic_share": float(data.synthetic.mean()), "sha256": "0" * 64},
            "findings": [finding.document() for finding in check(data, fewest_rows=100)],
        },
        seen={
            "explanation": explanation(model, test.rows),
            "columns": column_facts(data),
            "score": score_histogram(model.probabilities(test.rows)),
        },
        fitted={"threshold": model.threshold, "calibration": model.calibration.document(), "record": candidate.record},
        verdict=judged,
        reference=reference(model, development, test),
        target_auc=0.7,
    )


@cache
def synthetic_card() -> Card:
    return assemble(made(synthetic_data()))


def data_of(schema: FeatureSchema, rows: int = 1_200, seed: int = 3) -> DataSet:
    """CardSources-up customers of any schema: its first feature drives churn, some of what may be missing is."""
    rng = np.random.default_rng(seed)
    customers: list[NewCustomer] = []
    for number in range(rows):
        features: dict[str, Any] = {}
        for column in schema.columns:
            if not (column.missing and rng.random() < 0.1):
                features[column.name] = _value(column.kind, column.levels, rng)
        risk = 0.6 if _stands_out(features.get(schema.features[0].name), schema.features[0].levels) else 0.1
        group = str(features.get(schema.group, "")) if schema.group else "all"
        customers.append(
            {"customer_id": str(number), "features": features, "life": outcome(rng.random() < risk), "group": group, "source": "api"}
        )
    return collect(schema, [customers])[0]


def _stands_out(value: Any, levels: tuple[str, ...]) -> bool:
    return value == levels[0] if levels else value is True or (value or 0) > 5


def _value(kind: str, levels: tuple[str, ...], rng: np.random.Generator) -> Any:
    if kind == "category":
        return levels[int(rng.integers(len(levels)))]
    if kind == "date":
        return "2026-01-31"
    return bool(rng.random() < 0.5) if kind == "boolean" else float(rng.integers(0, 11))


class Page(HTMLParser):
    """A page taken apart: tags with attributes, and texts with the classes of what they stand in. Fails where tags do not match."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str, str]] = []
        self._open: list[tuple[str, str]] = []
        self.feed(html)
        self.close()
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_startendtag(tag, attrs)
        if tag not in VOID:
            self._open.append((tag, dict(attrs).get("class") or ""))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len({name for name, _ in attrs}) == len(attrs)
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop()[0] == tag

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.texts.append((*self._open[-1], data) if self._open else ("", "", data))

    def shown(self) -> Iterator[str]:
        """What people read, but for the numbers on the axes."""
        return (text for tag, look, text in self.texts if tag != "style" and not (tag == "text" and look == "tick"))
