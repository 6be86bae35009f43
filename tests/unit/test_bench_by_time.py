"""The forecast of quarters from one anchor and from seven."""

import json
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from bench.by_time import FILE, PAGE, main, markdown, measure
from bench.pages import between


def test_it_says_that_it_needs_a_file(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PURCHASES", raising=False)
    assert main([]) == 0
    assert "Skipped: no file of purchases" in capsys.readouterr().out


def test_the_page_has_the_figures_of_the_file() -> None:
    page = PAGE.read_text()
    assert between(page, "by_time", markdown(json.loads(FILE.read_text()))) == page


def test_each_quarter_is_forecast_from_anchors_whose_outcomes_are_over(tmp_path: Path) -> None:
    """Customers who buy at their own rate until they stop."""
    rng, lines = np.random.default_rng(4), ["customer_id,date,quantity,amount"]
    for number in range(300):
        bought, rate = date(1997, 1, 1) + timedelta(days=int(rng.integers(0, 90))), rng.choice([15, 60])
        while bought <= date(1998, 6, 30) and rng.random() > 0.12:
            lines.append(f"c{number},{bought},1,{rng.uniform(5, 50):.2f}")
            bought += timedelta(days=1 + int(rng.exponential(rate)))
    lines.append("c0,1998-06-30,1,9.99")  # the file is complete until then
    purchases = tmp_path / "purchases.csv"
    purchases.write_text("\n".join(lines) + "\n")
    quarters = list(measure(purchases, seconds=0.2))
    assert [quarter["anchor"] for quarter in quarters] == ["1998-01-01", "1998-02-01", "1998-03-01", "1998-04-01"]
    for quarter in quarters:
        assert quarter["one"]["rows"] < quarter["seven"]["rows"]
        assert 0 < quarter["left"] < quarter["customers"]
        assert all(0 <= quarter["seven"][auc] <= 1 for auc in ("product", "trees", "by_customers"))
