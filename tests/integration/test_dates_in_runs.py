"""Dates through the functions: a run, an answer on request and a what-if count from the same day."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from retainstream.engine.lives import day_number
from retainstream.engine.model.encoding import encode
from retainstream.engine.monitoring.histograms import Ruler, tally
from retainstream.runs.scoring.partials import Partials
from retainstream.storage.customers import Customers
from retainstream.storage.documents import Documents
from retainstream.storage.predictions import Predictions
from tests.contracts import SCHEMA, contracts_model, contracts_reference, stored
from tests.integration.test_drift import Call, score_everybody
from tests.made_lives import seen
from tests.small_models import put_in_service

DAYS = ["2026-01-31", "2025-06-30", "2026-02-28"]


def features_of(number: int) -> dict[str, Any]:
    since = datetime(2023, 5, 1, tzinfo=UTC) + timedelta(days=37 * number)
    given: dict[str, Any] = {"fee": 9.5 if number % 2 else 20, "since": since.date().isoformat(), "ends": f"2026-0{1 + number % 9}-15"}
    return given if number % 4 else {"fee": 20}


def test_a_run_a_request_and_a_what_if_count_from_the_day_of_the_features(call: Call) -> None:
    model = contracts_model()
    put_in_service(
        schema=SCHEMA,
        others={"model.ubj": bytes(model.booster.save_raw("ubj")), "reference.json": json.dumps(contracts_reference()).encode()},
    )
    base: list[Any] = [{**stored(number, features_of(number), DAYS[number % 3]), "life": seen()} for number in range(24)]
    Customers().put_many(base)
    days = [day_number(customer["features_at"]) for customer in base]
    rows = encode(SCHEMA, [customer["features"] for customer in base], days)
    expected = model.explain(rows).probability.round(6).tolist()

    score_everybody("r1")
    ids = [customer["customer_id"] for customer in base]
    kept = Predictions().get_many(ids)
    assert [kept[customer_id]["probability"] for customer_id in ids] == expected
    assert [kept[customer_id].get("features_on") for customer_id in ids] == [customer["features_at"][:10] for customer in base]
    counted = tally(Ruler.of(contracts_reference()["features"]), rows, expected, stayed=0, synthetic=0)
    assert Partials(Documents(), "r1").whole().tally == counted

    answer = call("predictions", "POST", "/api/predictions/generate", {"customer_ids": ids}, role="analyst")
    assert [prediction["probability"] for prediction in answer.body["data"]["predictions"]] == expected
    for customer, probability in zip(base[:5], expected, strict=False):
        moved = {"customer_id": customer["customer_id"], "changes": {"since": "2026-01-01"}}
        asked = call("predictions", "POST", "/api/predictions/what-if", moved).body["data"]
        assert asked["before"]["probability"] == probability
        (after,) = encode(SCHEMA, [{**customer["features"], "since": "2026-01-01"}], [day_number(customer["features_at"])])
        assert asked["after"]["probability"] == model.explain(np.array([after])).probability.round(6)[0]


def test_features_of_a_request_are_of_its_day(call: Call) -> None:
    model = contracts_model()
    put_in_service(schema=SCHEMA, others={"model.ubj": bytes(model.booster.save_raw("ubj"))})
    today = datetime.now(UTC).date()
    since = today - timedelta(days=500)
    answer = call("predictions", "POST", "/api/predictions/generate", {"rows": [{"since": since.isoformat()}]}, role="analyst")
    (score,) = answer.body["data"]["scores"]
    assert score["probability"] == model.explain(np.array([[np.nan, 500, np.nan]], dtype=np.float32)).probability.round(6)[0]
    assert any(reason["text"].startswith(f"Contract since {since}, 500 days before: ") for reason in score["reasons"])
    asked = call("predictions", "POST", "/api/predictions/what-if", {"features": {"since": since.isoformat()}, "changes": {"since": None}})
    assert asked.body["data"]["before"]["probability"] == score["probability"]
