"""Lives from facts in any order."""

import random
from collections.abc import Sequence
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from retainstream.engine.lives import LONG_BEFORE, churned_of, iso_day
from retainstream.engine.lives.timeline import Lives, began, left, seen

MONTH_ENDS = [iso_day(20454 + 30 * month) for month in range(14)]
type Fact = tuple[str, str]


def after(facts: Sequence[Fact], lives: Lives = ()) -> Lives:
    """The lives after facts: ("seen" | "stayed" | "gone", day) or ("<exact day>", day of the statement)."""
    for kind, day in facts:
        match kind:
            case "seen" | "stayed":
                lives = seen(lives, day, stayed=kind == "stayed")
            case "gone":
                lives = left(lives, day, day)
            case _:
                lives = left(lives, kind, day, exact=True)
    return lives


@st.composite
def one_leaving(draw: st.DrawFn) -> list[Fact]:
    """Monthly facts on a person who leaves once, or stays: with the day of leaving, or only that the person left."""
    end = draw(st.integers(0, 14))
    dated = draw(st.booleans())
    last = iso_day(20454 + 30 * end - draw(st.integers(1, 29)))
    facts = [(draw(st.sampled_from(["seen", "stayed"])), day) for day in MONTH_ENDS[:end]]
    facts += [(last if dated else "gone", day) for day in MONTH_ENDS[end:]]
    return [fact for fact in facts if draw(st.booleans())]


FACTS = st.lists(st.tuples(st.sampled_from(["seen", "stayed", "gone", MONTH_ENDS[3], MONTH_ENDS[6]]), st.sampled_from(MONTH_ENDS[6:])))


@given(one_leaving(), st.randoms(use_true_random=False))
def test_the_order_of_monthly_facts_does_not_matter(facts: list[Fact], chance: random.Random) -> None:
    expected = after(facts)
    chance.shuffle(facts)
    assert after(facts) == expected
    assert len(expected) <= 1


@given(one_leaving(), st.data())
def test_a_fact_again_changes_nothing(facts: list[Fact], data: st.DataObject) -> None:
    expected = after(facts)
    if facts:
        assert after([data.draw(st.sampled_from(facts))], expected) == expected


@given(st.lists(st.sampled_from(["seen", "gone"]), min_size=1, max_size=14))
def test_a_life_begins_where_a_person_comes_back(states: list[str]) -> None:
    facts = list(zip(states, MONTH_ENDS, strict=False))
    lives = after(facts)
    leavings = [(before, then) for before, then in pairwise([("gone", LONG_BEFORE), *facts]) if (before[0], then[0]) == ("seen", "gone")]
    assert [(life["left_after"], life["left_on"]) for life in lives if "left_on" in life and "first_seen_on" in life] == [
        (before[1], then[1]) for before, then in leavings
    ]
    assert churned_of(lives[-1]) is (True if states[-1] == "gone" else None)
    assert after(list(reversed(facts))) == lives


@given(FACTS)
def test_lives_follow_one_another(facts: list[Fact]) -> None:
    lives = after(facts)
    days: list[str] = []
    for life in lives:
        start, end = life.get("first_seen_on", life.get("left_on", "")), life.get("gone_until", life.get("left_on", ""))
        days += [start, life.get("observed_until", start), *([life["left_on"], end] if "left_on" in life else [])]
        assert ("first_seen_on" in life) == ("observed_until" in life)
    assert days == sorted(days)
    assert all("left_on" in life for life in lives[:-1])


def test_a_sight_before_the_leaving_narrows_its_range() -> None:
    lives = after([("gone", "2026-03-31")])
    assert lives == ({"left_on": "2026-03-31", "left_after": LONG_BEFORE},)
    lives = seen(lives, "2026-02-28")
    assert lives == ({"first_seen_on": "2026-02-28", "observed_until": "2026-02-28", "left_on": "2026-03-31", "left_after": "2026-02-28"},)
    assert left(lives, "2026-03-05", "2026-04-30", exact=True)[0]["left_on"] == "2026-03-05"


def test_a_statement_of_the_day_of_leaving_discards_later_sights_up_to_its_own_day() -> None:
    lives = after([("seen", "2026-01-31"), ("seen", "2026-03-31"), ("2026-02-10", "2026-03-31")])
    assert lives == ({"first_seen_on": "2026-01-31", "observed_until": "2026-02-10", "left_on": "2026-02-10", "gone_until": "2026-03-31"},)
    assert seen(lives, "2026-03-15") == lives
    assert seen(lives, "2026-03-31") == lives
    assert len(seen(lives, "2026-04-01")) == 2


def test_the_latest_word_after_the_leaving_begins_a_new_life() -> None:
    lives = after([("seen", "2026-01-31"), ("2026-02-10", "2026-03-31")])
    old, new = seen(lives, "2026-03-31", latest_word=True)
    assert (old["left_on"], new) == ("2026-02-10", {"first_seen_on": "2026-03-31", "observed_until": "2026-03-31"})
    assert "gone_until" not in old


def test_a_correction_repairs_the_life() -> None:
    lives = after([("seen", "2026-01-31"), ("2026-02-10", "2026-03-31")])
    for day in ("2026-02-10", "2026-02-05"):
        assert seen(lives, day, stayed=True, latest_word=True) == (
            {"first_seen_on": "2026-01-31", "observed_until": day, "stayed_on": day},
        )
    assert after([("gone", "2026-02-28"), ("stayed", "2026-02-28")]) == after([("stayed", "2026-02-28")])


def test_a_correction_joins_the_lives_on_both_sides() -> None:
    lives = after([("seen", "2026-01-31"), ("gone", "2026-02-28"), ("seen", "2026-03-31")])
    assert len(lives) == 2
    assert seen(lives, "2026-02-28", stayed=True) == (
        {"first_seen_on": "2026-01-31", "observed_until": "2026-03-31", "stayed_on": "2026-02-28"},
    )


def test_a_range_that_is_stated_ends_the_life_after_its_first_day() -> None:
    lives = after([("seen", "2026-01-31"), ("seen", "2026-04-29")])
    (life,) = left(lives, "2026-04-20", "2026-04-30", after="2026-04-01")
    assert (life["observed_until"], life["left_after"], life["left_on"]) == ("2026-04-01", "2026-04-01", "2026-04-20")


def test_the_beginning_belongs_to_the_life_after_the_leaving_before() -> None:
    lives = after([("seen", "2026-01-31"), ("gone", "2026-02-28"), ("seen", "2026-05-31")])
    _, later = began(lives, "2026-05-02", of="2026-05-31")
    assert later["began_on"] == "2026-05-02"
    earlier, later = began(lives, "2025-05-02", of="2026-05-31")
    assert earlier["began_on"] == "2025-05-02"
    assert "began_on" not in later
