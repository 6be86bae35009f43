"""The benchmarks run: with tiny sizes, whose figures mean nothing."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.long
@pytest.mark.parametrize(
    ("benchmark_name", "figures"),
    [
        ("one_row", ["handler, 5 trees of depth 2", "the bare call"]),
        ("blocks", ["shallow, 300 rows", "wide, 300 rows", "tables, made once"]),
        ("worker", ["worker: explain", "BatchWriteItem", "stored: a customer"]),
        ("twelve_months", ["true leavers", "2026-10-31"]),
        ("features", ["twice the events", "against pandas"]),
        ("importing", ["500 lines: import", "500 lines: load", "PutItem"]),
    ],
)
def test_a_benchmark_measures_what_it_says(benchmark_name: str, figures: list[str]) -> None:
    before = (ROOT / "bench/results.json").read_bytes()
    ended = subprocess.run([sys.executable, "-m", f"bench.{benchmark_name}", "--quick"], cwd=ROOT, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr[-2000:]
    assert [figure for figure in figures if figure not in ended.stdout] == []
    assert (ROOT / "bench/results.json").read_bytes() == before
