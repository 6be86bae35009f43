"""Churn by silence: counts of returns, the proposal, its sentences and its plots."""

import json
from collections.abc import Sequence
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retainstream.engine.silence.definition import CANDIDATES, FEWEST, Definition, define
from retainstream.engine.silence.page import page
from retainstream.engine.silence.plots import picture
from retainstream.engine.silence.report import Report
from retainstream.engine.silence.silences import Days, Silences

EVENTS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 40)), min_size=1, max_size=40)


def silences_of(events: Sequence[tuple[int, int]], last_day: int) -> Silences:
    customers, days = np.array(events, dtype=np.int32).reshape(-1, 2).T
    return Silences.of(customers, days, last_day)


def visits(chances: Sequence[float], length: int, seed: int) -> tuple[Days, Days]:
    """Events of customers who come with these chances each day, from day 0 on. Every customer has an event on the first day."""
    come = np.random.default_rng(seed).random((len(chances), length)) < np.array(chances)[:, None]
    come[:, 0] = True
    customers, days = np.nonzero(come)
    return customers.astype(np.int32), days.astype(np.int32)


def defined(chances: Sequence[float], length: int = 900, **chosen: float | int) -> Definition:
    return define(Silences.of(*visits(chances, length, seed=3), length - 1), **chosen)  # type: ignore[arg-type]


def report_of(definition: Definition, kind: str | None = None, *, chosen: bool = False) -> Report:
    return Report(definition, 1_000, 100, "2025-01-01", "2026-01-31", kind, chosen)


@given(events=EVENTS, silence=st.integers(1, 15), within=st.integers(1, 15))
def test_returns_are_those_that_a_calendar_shows(events: list[tuple[int, int]], silence: int, within: int) -> None:
    last_day, complete, ended, whose = 40, 0, 0, set()
    for customer in {customer for customer, _ in events}:
        days = {day for other, day in events if other == customer}
        for day in days:
            quiet = not days & set(range(day + 1, day + silence + 1))
            if quiet and day + silence + within <= last_day:
                complete += 1
                whose.add(customer)
                ended += bool(days & set(range(day + silence + 1, day + silence + within + 1)))
    counted = silences_of(events, last_day).returns(silence, within)
    assert (counted["silences"], counted["returned"], counted["customers"]) == (complete, ended, len(whose))
    assert counted["share"] == (ended / complete if complete else None)


@given(events=EVENTS, seed=st.integers(0, 99))
def test_neither_the_order_of_the_events_nor_what_is_after_the_window_matters(events: list[tuple[int, int]], seed: int) -> None:
    shuffled = [events[place] for place in np.random.default_rng(seed).permutation(len(events))]
    counted = silences_of(events, 40).returns(7, 14)
    assert silences_of(shuffled, 40).returns(7, 14) == counted
    later = [(customer, day) for customer, day in [*events, (0, 50), (2, 55)]]
    known = silences_of(later, 55).where(silences_of(later, 55).observed >= 15 + 21)
    assert known.returns(7, 14)["silences"] == counted["silences"]
    assert known.returns(7, 14)["returned"] == counted["returned"]


@given(events=EVENTS)
def test_earlier_activity_counts_the_events_up_to_the_silence(events: list[tuple[int, int]]) -> None:
    silences = silences_of(events, 40)
    parts = [silences.after(1, 1), silences.after(2, 3), silences.after(4, None)]
    assert sum(len(part) for part in parts) == len(silences) == len(set(events))
    first_days = {customer: min(day for other, day in events if other == customer) for customer, _ in events}
    alone = [customer for customer, day in first_days.items() if events.count((customer, day)) == 1]
    assert len(parts[0]) == len(alone)


def test_the_share_of_a_memoryless_customer_is_the_true_chance() -> None:
    chance = 0.02
    silences = Silences.of(*visits([chance] * 400, 900, seed=1), 899)
    for silence, within in ((7, 30), (30, 90), (90, 30), (120, 180)):
        counted = silences.returns(silence, within)
        truth = 1 - (1 - chance) ** within
        assert counted["low"] is not None
        assert counted["high"] is not None
        assert counted["low"] - 0.01 <= truth <= counted["high"] + 0.01, (silence, within, counted)


def test_silences_of_one_customer_count_less_than_those_of_many() -> None:
    events = [(customer, (20 if customer < 12 else 60) * place) for customer in range(24) for place in range(10)]
    counted = silences_of(events, 900).returns(10, 30)
    assert counted["low"] is not None
    assert counted["high"] is not None
    spread = 1.96 * np.sqrt((counted["share"] or 0) * (1 - (counted["share"] or 0)) / counted["silences"])
    assert counted["high"] - counted["low"] > 2 * 1.5 * spread


def test_the_proposal_is_the_smallest_candidate_with_the_return_share() -> None:
    leaving = [0.1] * 150
    customers, days = visits(leaving, 900, seed=4)
    stays = np.random.default_rng(5).integers(100, 900, len(leaving))
    here = days < stays[customers]
    definition = define(Silences.of(customers[here], days[here], 899), return_share=0.2)
    proposed = definition.proposed_days
    assert proposed is not None
    shares = {candidate: definition.curve.at(candidate, definition.within_days)["share"] for candidate in CANDIDATES}
    assert (shares[proposed] or 0) <= 0.2
    assert all((shares[candidate] or 1) > 0.2 for candidate in CANDIDATES if candidate < proposed)
    assert define(Silences.of(customers[here], days[here], 899), return_share=0.02).proposed_days > proposed  # type: ignore[operator]


def test_one_number_of_days_fits_customers_who_are_alike() -> None:
    definition = defined([0.01] * 600)
    assert len(definition.groups) > 1
    assert definition.one_for_all is True
    assert "One number of days fits all customers." in " ".join(report_of(definition).sentences())


def test_one_number_of_days_does_not_fit_rare_and_frequent_customers() -> None:
    definition = defined([0.0005] * 600 + [0.02] * 300)
    assert definition.one_for_all is False
    assert definition.compared_days is not None
    shares = [group.curve.at(definition.compared_days, definition.within_days)["share"] or 0 for group in definition.groups]
    assert shares[0] < 0.5 * shares[-1]
    sentences = report_of(definition).sentences()
    assert any(sentence.startswith("One number of days does not fit all customers.") for sentence in sentences)


def test_groups_have_enough_customers() -> None:
    definition = defined([0.001] * 300 + [0.05] * 20)
    for group in definition.groups:
        assert group.curve.at(30, definition.within_days)["customers"] >= FEWEST
    assert definition.groups[0].fewest == 1
    assert definition.groups[-1].most is None


def test_short_data_is_judged_by_a_shorter_window_and_says_so() -> None:
    definition = defined([0.05] * 400, length=150, return_share=0.9)
    assert definition.within_days < 180
    assert any("with 180 days of data after it" in sentence for sentence in report_of(definition).sentences())


def test_a_chosen_window_stays() -> None:
    definition = defined([0.05] * 400, length=150, within_days=120)
    assert definition.within_days == 120
    assert not any("with 180 days of data" in sentence for sentence in report_of(definition, chosen=True).sentences())


@pytest.mark.parametrize("events", [[(0, day) for day in range(0, 400, 3)], [(0, 0)], [(customer, 5) for customer in range(30)]])
def test_too_few_customers_have_no_proposal(events: list[tuple[int, int]]) -> None:
    definition = define(silences_of(events, 400))
    assert definition.proposed_days is None
    assert definition.one_for_all is None
    assert report_of(definition).sentences()[0].startswith(f"No silence can be judged: fewer than {FEWEST} customers")
    ElementTree.fromstring(picture(report_of(definition)))


def test_a_return_share_that_no_silence_has_is_said_with_the_longest_silence() -> None:
    definition = defined([0.05] * 200, length=400, return_share=0.001)
    assert definition.proposed_days is None
    assert "No proposal: no silence of up to" in report_of(definition).sentences()[0]


def test_the_document_holds_every_figure_of_the_sentences() -> None:
    definition = defined([0.0005] * 600 + [0.02] * 300)
    document = json.loads(json.dumps(report_of(definition, "purchase").document(), allow_nan=False))
    assert document["proposed_days"] == definition.proposed_days
    assert document["kind"] == "purchase"
    assert {returns["within_days"] for returns in document["returns"]} == {30, 90, 180}
    assert len(document["returns"]) == 3 * len(CANDIDATES)
    assert [group["name"] for group in document["groups"]] == [group.name for group in definition.groups]


def test_the_plots_are_drawings_with_a_line_for_each_window_and_group() -> None:
    definition = defined([0.0005] * 600 + [0.02] * 300)
    image = ElementTree.fromstring(picture(report_of(definition)))
    lines = [element for element in image.iter() if element.tag.endswith("}path") and element.get("class") != "chance"]
    assert len(lines) == 3 + len(definition.groups)


def test_the_page_escapes_a_kind_and_runs_no_script() -> None:
    text = page(report_of(defined([0.01] * 200), "<script>alert(1)</script>"))
    assert "<script>" not in text
    assert "&lt;script&gt;" in text
    assert "default-src &#39;none&#39;" in text
