"""Which run a caller means by a key."""

from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import BaseModel

from retainstream.runs.keys import request_of, run_id_for
from retainstream.storage.runs import Kind

WORDS = st.text(st.characters(exclude_characters="\x00"), max_size=20)


class Body(BaseModel):
    rows: list[dict[str, str]] = []


@example(one=("ann", "\ud800"), other=("ann", "?"))
@given(one=st.tuples(WORDS, WORDS), other=st.tuples(WORDS, WORDS))
def test_a_key_means_one_run_of_one_caller(one: tuple[str, str], other: tuple[str, str]) -> None:
    assert (run_id_for("scoring", *one) == run_id_for("scoring", *other)) == (one == other)


def test_the_same_key_for_another_kind_of_run_means_another_run() -> None:
    kinds: tuple[Kind, ...] = ("import", "training", "scoring")
    assert len({run_id_for(kind, "ann", "key-1") for kind in kinds}) == len(kinds)


def test_without_a_key_every_run_is_new() -> None:
    assert request_of("training", "ann", None).run_id != request_of("training", "ann", None).run_id
    assert request_of("training", "ann", "key-1") == request_of("training", "ann", "key-1")


@given(one=st.lists(st.dictionaries(WORDS, WORDS), max_size=2), other=st.lists(st.dictionaries(WORDS, WORDS), max_size=2))
def test_another_body_means_another_run_under_the_same_key(one: list[dict[str, str]], other: list[dict[str, str]]) -> None:
    first, second = (request_of("scoring", "ann", "key-1", Body(rows=rows)) for rows in (one, other))
    assert first.key == second.key
    assert (first.run_id == second.run_id) == (first.body == second.body) == (one == other)
