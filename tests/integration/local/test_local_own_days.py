"""The days of a first table: stated, taken from one of them, or assumed with a sentence."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from local.own_data import OwnData, OwnDataError
from retainstream.engine.schema import FeatureSchema, read_schema

ROOT = Path(__file__).parents[3]
TELCO = read_schema(ROOT / "examples/schemas/telco.yaml")
TODAY = datetime.now(UTC).date()
BEFORE = TODAY - timedelta(days=TELCO.horizon_days)


@pytest.mark.parametrize(
    ("features", "outcomes", "expected"),
    [
        ("", "", (BEFORE.isoformat(), TODAY.isoformat())),
        ("2026-01-31", "", ("2026-01-31", "2026-03-02")),
        (TODAY.isoformat(), "", (TODAY.isoformat(), TODAY.isoformat())),
        ("", "2026-03-02", ("2026-01-31", "2026-03-02")),
        ("2026-01-31", "2026-06-30", ("2026-01-31", "2026-06-30")),
    ],
)
def test_a_day_that_is_not_stated_follows_from_the_horizon(features: str, outcomes: str, expected: tuple[str, str]) -> None:
    moments = OwnData(None, None, features, outcomes).moments(TELCO)
    assert (moments.features_as_of[:10], moments.outcomes_as_of[:10]) == expected


@pytest.mark.parametrize(
    ("features", "outcomes", "sentence"),
    [
        (
            "2026-03-02",
            "2026-01-31",
            "OUTCOMES_AS_OF is before FEATURES_AS_OF: a model learns from outcomes after the day of the features.",
        ),
        ("31.01.2026", "", "FEATURES_AS_OF must be a day such as 2026-01-31."),
        ("", (TODAY + timedelta(days=1)).isoformat(), "OUTCOMES_AS_OF is in the future."),
    ],
)
def test_days_that_cannot_be_are_refused(features: str, outcomes: str, sentence: str) -> None:
    with pytest.raises(OwnDataError) as refused:
        OwnData(None, None, features, outcomes)
    assert str(refused.value) == sentence


def test_an_assumption_is_said_until_somebody_confirms_it() -> None:
    said = OwnData(None, None).assumption(TELCO, table_has_days=False)
    assert said.startswith(f"The table is taken for features of {BEFORE} and outcomes of the 30 days after it")
    assert OwnData(None, None, "2026-01-31").assumption(TELCO, table_has_days=False)
    confirmed = FeatureSchema.model_validate({**TELCO.model_dump(mode="json"), "moments": {"one_horizon": True}})
    assert not OwnData(None, None).assumption(confirmed, table_has_days=False)
    assert not OwnData(None, None).assumption(TELCO, table_has_days=True)
    assert not OwnData(None, None, "2026-01-31", "2026-03-02").assumption(TELCO, table_has_days=False)
