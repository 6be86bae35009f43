"""Removing the synthetic customers that a stack was tried with: a new business goes on with its own."""

from collections.abc import Callable
from typing import Any

from retainstream.customers import removal
from retainstream.storage.customers import Customers
from retainstream.storage.removals import Removals
from tests.made_lives import seen
from tests.small_models import some_features

type Call = Callable[..., Any]


def add(source: Any, count: int) -> None:
    Customers().put_many(
        {"customer_id": f"{source}-{at}", "group": row["plan"], "features": row, "source": source, "life": seen()}
        for at, row in enumerate(some_features(count))
    )


def test_only_synthetic_customers_are_removed_and_they_do_not_come_back(aws: None, call: Call) -> None:
    for source in ("synthetic", "import", "api"):
        add(source, 3)
    answer = call("customers", "DELETE", "/api/customers", role="admin", query="source=synthetic")
    assert (answer.status, answer.body["data"]) == (200, {"removed": 3, "more": False})
    left = {customer["customer_id"] for customer in Customers().page(100).items}
    assert left == {f"{source}-{at}" for source in ("import", "api") for at in range(3)}
    assert Removals().since("2020-01-01", ["synthetic-0", "import-0"]) == {"synthetic-0"}
    again = call("customers", "DELETE", "/api/customers", role="admin", query="source=synthetic")
    assert again.body["data"] == {"removed": 0, "more": False}


def test_a_request_without_time_says_that_there_are_more(aws: None, call: Call, monkeypatch: Any) -> None:
    add("synthetic", 3)
    monkeypatch.setattr(removal, "LONGEST_SECONDS", -1.0)
    assert call("customers", "DELETE", "/api/customers", role="admin", query="source=synthetic").body["data"] == {
        "removed": 0,
        "more": True,
    }


def test_the_origin_must_be_named(aws: None, call: Call) -> None:
    add("synthetic", 1)
    for query in ("", "source=import"):
        assert call("customers", "DELETE", "/api/customers", role="admin", query=query).status == 422
    assert len(Customers().page(10).items) == 1
