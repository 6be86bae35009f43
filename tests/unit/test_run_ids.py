"""Which run a caller means by a key."""

from hypothesis import example, given
from hypothesis import strategies as st

from retainstream.runs.starting import key_or_new, run_id_for
from retainstream.storage.runs import Kind

WORDS = st.text(st.characters(exclude_characters="\x00"), max_size=20)


@example(one=("ann", "\ud800"), other=("ann", "?"))
@given(one=st.tuples(WORDS, WORDS), other=st.tuples(WORDS, WORDS))
def test_a_key_means_one_run_of_one_caller(one: tuple[str, str], other: tuple[str, str]) -> None:
    assert (run_id_for("scoring", *one) == run_id_for("scoring", *other)) == (one == other)


def test_the_same_key_for_another_kind_of_run_means_another_run() -> None:
    kinds: tuple[Kind, ...] = ("import", "training", "scoring")
    assert len({run_id_for(kind, "ann", "key-1") for kind in kinds}) == len(kinds)


def test_without_a_key_every_run_is_new() -> None:
    assert key_or_new("training", "ann", None) != key_or_new("training", "ann", None)
    assert key_or_new("training", "ann", "key-1") == run_id_for("training", "ann", "key-1")
