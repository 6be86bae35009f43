"""Groups of any name and number: refused by the schema, or counted exactly in one stored item."""

from itertools import product
from typing import Any

import pytest

from retainstream.dashboard.figures import PredictionFigures
from retainstream.dashboard.fold import BINS, counts_of_prediction, recount
from retainstream.engine.model.levels import RISK_LEVELS, ranks, shards_of
from retainstream.engine.schema import FeatureSchema, UnreadableSchema, schema_from_text
from retainstream.engine.schema.feature_schema import MAX_COLUMNS, MAX_GROUP_BYTES, MAX_GROUPS
from retainstream.settings import settings
from retainstream.storage.rollups import Rollups
from tests.stored import stored_items

CUSTOMERS = 10_000_000
LONGEST_ITEM = 400 * 1024


def schema(levels: list[str], *, columns: int = 1, missing: bool = False) -> FeatureSchema:
    """By JSON, as a stack stores it. Groups are not a feature here, and all other columns are called as long as may be."""
    described: list[dict[str, Any]] = [
        {"name": "tier", "kind": "category", "levels": levels, "label": "Tier", "feature": False, "missing": missing}
    ]
    described += [{"name": f"c{number:0>62}", "kind": "number", "label": "C"} for number in range(columns)]
    document: dict[str, Any] = {"name": "odd", "title": "Odd", "id": {"column": "id"}, "label": {"column": "left", "positive": "yes"}}
    return FeatureSchema.model_validate({**document, "group": "tier", "horizon_days": 30, "columns": described})


@pytest.mark.parametrize(
    ("levels", "missing", "said"),
    [
        ([f"tier {number}" for number in range(MAX_GROUPS + 1)], False, "the group column tier has 65 levels, more than 64"),
        (["ü" * 200 + str(number) for number in range(10)] + ["x" * 1000], False, "should have at most 200 characters"),
        (
            ["東" * 190 + str(number) for number in range(9)],
            False,
            "the group column tier has levels that are longer than 5,000 bytes together",
        ),
        (["all", "some"], True, 'the group column tier may be missing, and has a level "all"'),
        (["a", " b"], False, "column tier: a level begins or ends with a space"),
    ],
)
def test_groups_that_cannot_be_counted_are_refused_in_words(levels: list[str], missing: bool, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        schema(levels, missing=missing)


def test_a_document_with_too_many_groups_is_told_why() -> None:
    listed = ", ".join(f"t{number}" for number in range(500))
    text = f"""
name: odd
title: Odd
id: {{column: id}}
label: {{column: left, positive: "yes"}}
group: tier
horizon_days: 30
columns:
  - {{name: tier, kind: category, levels: [{listed}], label: Tier}}
"""
    with pytest.raises(UnreadableSchema, match="the group column tier has 500 levels, more than 64: group by a coarser column"):
        schema_from_text(text)
    assert len(schema_from_text(text.replace("group: tier\n", "")).columns[0].levels) == 500


def test_the_largest_schema_has_counters_that_fit_into_one_item(aws: None) -> None:
    width = MAX_GROUP_BYTES // MAX_GROUPS
    groups = [f"{'東' * (width // 3 - 1)}{number:02d}" for number in range(MAX_GROUPS)]
    largest = schema(groups, columns=MAX_COLUMNS - 1)
    contributions = {column.name: -0.123456 for column in largest.features}
    rows = [
        {
            "group": group,
            "churned": False,
            "level": level,
            "probability": (place + 0.5) / BINS,
            "base_probability": 0.2,
            "margin": 1.0,
            "base_margin": -1.0,
            "value_at_risk": 250.0,
            "contributions": contributions if group == groups[0] else {},
        }
        for group, level, place in product(groups, RISK_LEVELS, range(BINS))
    ]
    counters = {name: amount * CUSTOMERS // 100 for name, amount in recount(counts_of_prediction, rows).items()}
    rollups = Rollups()
    rollups.put_if_version("predictions", 0, counters)
    assert rollups.counters("predictions").counters == counters
    stored = stored_items(settings().rollups_table)[0]
    assert sum(len(name) + len(value.get("S", value.get("N", "")).encode()) for name, value in stored.items()) < LONGEST_ITEM


def test_names_that_separate_elsewhere_keep_groups_apart() -> None:
    groups = ["a", "a#1", "a/b", "a/", "/", "#", "Größe", "x" * 200]
    assert len(set(shards_of(groups))) == 4 * len(groups)
    for group in groups:
        found = {ranks(f"C{number}", group, 0.9, 1.0)["risk_shard"] for number in range(50)}
        assert found == set(shards_of([group]))
    rows = [
        {
            "group": group,
            "churned": False,
            "level": "high",
            "probability": 0.5,
            "base_probability": 0.2,
            "margin": 1.0,
            "base_margin": -1.0,
            "value_at_risk": 1.0,
            "contributions": {"visits": 0.5},
        }
        for group in groups
    ]
    figures = PredictionFigures(recount(counts_of_prediction, rows))
    assert figures.groups == sorted(groups)
    assert all(figures.level("high", [group]).customers == 1 for group in groups)
    assert [(factor.column, factor.strength) for factor in figures.factors()] == [("visits", 0.5)]
