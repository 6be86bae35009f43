"""The framework of the benchmarks, with sizes that measure nothing."""

import io
import json
import os
from itertools import pairwise
from pathlib import Path

import pytest
from rich.console import Console

from bench import BENCHMARKS, pages, results_file, running, scale
from bench.conditions import conditions
from bench.memory import most_allocated, one_core, resident_bytes, watched_memory, with_children_bytes
from bench.report import markdown, show
from bench.result import Result, Target
from bench.timing import interleaved

RATIO = Result("ours", 3.0, "ms", 1.5, "the bare call", Target("ratio", at_most=2.0))
PLAIN = Result("memory", 0.00123456, "MB", note="resident")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "results.json"


def test_every_figure_is_written_with_its_conditions(path: Path) -> None:
    results_file.merge("one", [RATIO, PLAIN], conditions(), 1.23, path)

    found = json.loads(path.read_text())["one"]
    assert found["results"] == [
        {
            "name": "ours",
            "value": 3.0,
            "unit": "ms",
            "ratio": 1.5,
            "against": "the bare call",
            "target": "ratio ≤ 2",
            "note": "",
            "met": True,
        },
        {
            "name": "memory",
            "value": 0.001235,
            "unit": "MB",
            "ratio": None,
            "against": "",
            "target": "",
            "note": "resident",
            "met": None,
        },
    ]
    assert found["conditions"].keys() == {"at", "processor", "cores", "memory_gb", "system", "load", "versions"}
    assert found["conditions"]["versions"]["xgboost-cpu"]


def test_a_single_run_replaces_its_own_figures_only(path: Path) -> None:
    results_file.merge("one", [RATIO], conditions(), 1, path)
    results_file.merge("two", [RATIO, PLAIN], conditions(), 1, path)
    found = results_file.merge("two", [PLAIN], conditions(), 1, path)

    assert [result["name"] for result in found["one"]["results"]] == ["ours"]
    assert [result["name"] for result in found["two"]["results"]] == ["memory"]
    assert results_file.figure(found, "one", "ours") == 3.0
    with pytest.raises(KeyError):
        results_file.figure(found, "two", "ours")


def test_names_are_not_used_twice(path: Path) -> None:
    with pytest.raises(ValueError, match="one name"):
        results_file.merge("one", [RATIO, RATIO], conditions(), 1, path)
    assert not path.exists()


def test_a_ratio_says_what_it_is_compared_to() -> None:
    with pytest.raises(ValueError, match="compared"):
        Result("alone", 1.0, "s", 2.0)
    with pytest.raises(ValueError, match="compared"):
        Result("alone", 1.0, "s", against="something")
    with pytest.raises(ValueError, match="ratio"):
        Result("alone", 1.0, "s", target=Target("ratio", at_most=1.0))


@pytest.mark.parametrize(
    ("target", "met"),
    [
        (Target("value", at_most=3.0), True),
        (Target("value", at_least=3.1), False),
        (Target("ratio", at_least=1.0, at_most=1.4), False),
        (None, None),
    ],
)
def test_a_target_is_reached_or_not(target: Target | None, met: bool | None) -> None:
    assert Result("ours", 3.0, "ms", 1.5, "the bare call", target).met is met


def test_tables_show_every_figure(path: Path) -> None:
    found = results_file.merge("one", [RATIO, PLAIN], conditions(), 1, path)
    printed = io.StringIO()
    show(found, ["one", "absent"], Console(file=printed, width=200))

    for text in ("ours", "1.50 ×", "the bare call", "ratio ≤ 2", "memory (resident)", "0.0012", "load", "xgboost-cpu"):
        assert text in printed.getvalue()
    assert markdown(found["one"]["results"]).splitlines()[2] == "| ours | 3.00 | ms | 1.50 × | the bare call | ratio ≤ 2 | yes |"


def test_what_is_compared_is_called_in_turn() -> None:
    calls: list[str] = []
    timed = interleaved({"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}, rounds=3, calls=2, warm=1)

    assert calls == [*"ab", *"aabb", *"bbaa", *"aabb"]
    assert [len(found) for found in timed["a"].rounds] == [2, 2, 2]
    assert timed["a"].median <= timed["a"].p95
    assert timed["a"].ratio_to(timed["a"]) == 1.0


def test_memory_is_that_of_the_process() -> None:
    with watched_memory() as peak:
        held = bytearray(b"\1") * 200_000_000  # more than the process may have let go of before, and be given again
        assert resident_bytes() > len(held)
    assert peak.added > 100_000_000
    assert 30_000_000 < most_allocated(lambda: bytearray(30_000_000)) < 31_000_000
    assert with_children_bytes(1) > 0


def test_work_is_kept_on_one_core_and_let_go_again() -> None:
    before = os.sched_getaffinity(0)
    with one_core() as core:
        assert os.sched_getaffinity(0) == {core}
    assert os.sched_getaffinity(0) == before


def test_one_that_fails_does_not_keep_the_others_from_running(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for name, body in (("fails", "raise SystemExit(3)"), ("works", "print('it ran')")):
        (tmp_path / "bench").mkdir(exist_ok=True)
        (tmp_path / f"bench/{name}.py").write_text(body)
    (tmp_path / "bench/__init__.py").write_text("")
    monkeypatch.chdir(tmp_path)

    assert running.together(["fails", "works"], quick=True) == 1
    told = capfd.readouterr().out
    assert "it ran" in told
    assert "fails failed" in told


def test_quick_figures_are_shown_and_not_kept(capsys: pytest.CaptureFixture[str]) -> None:
    before = results_file.read()
    assert running.alone("one", lambda quick: [Result(f"quick is {quick}", 1.0, "s")], ["--quick"]) == 0
    assert "quick is True" in capsys.readouterr().out
    assert results_file.read() == before


def test_the_page_is_in_step_with_the_figures() -> None:
    page = pages.PERFORMANCE.read_text()
    assert page == pages.performance(page, results_file.read())


def test_the_costs_are_in_step_with_the_figures_the_prices_and_the_template() -> None:
    text = scale.PAGE.read_text()
    assert text == scale.page(text, results_file.read()), "run make scale"


def test_costs_grow_with_the_base_and_looking_at_it_does_not() -> None:
    found = results_file.read()
    for work in (scale.importing, scale.scoring):
        dollars = [work(size, found).dollars for size in scale.SIZES]
        assert all(8 < more / less < 12 for less, more in pairwise(dollars))
    assert len({scale.dashboard(size, found).dollars for size in scale.SIZES}) == 1
    assert scale.standing(10**8, found) > scale.standing(10**4, found)


def test_a_smaller_function_trains_on_fewer_rows_by_the_same_line() -> None:
    figures = results_file.read()
    stated = [result["value"] for result in figures["training"]["results"] if result["unit"] == "rows"]
    assert scale.training_rows(figures, 10.0) == pytest.approx(min(stated))
    assert 6.5e6 < scale.training_rows(figures, scale.memory_gb("RetrainingFunction")) < 6.7e6, "as docs/training-at-scale.md says"


def test_a_cost_without_its_figures_is_said_to_be_missing() -> None:
    assert "Not computed: worker: worker has not been measured." in scale.tables({})


def test_every_price_is_dated_and_has_a_unit() -> None:
    told = scale.assumptions()
    assert "written down on 20" in told
    assert all(price > 0 for price in scale.prices().values())
    assert "| 0.0000133334 | GB-second on arm64 |" in told


def test_a_page_without_its_markers_is_not_written() -> None:
    with pytest.raises(ValueError, match=BENCHMARKS[0]):
        pages.performance("# Performance\n", {})
