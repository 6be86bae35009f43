"""Files whose ids a spreadsheet has changed: nobody becomes a second customer without a question."""

from typing import Any

import pytest

from retainstream.runs.imports import survey
from retainstream.runs.imports.known_ids import Sample, Spelling, canonical, reshaped
from retainstream.runs.imports.request import import_run
from retainstream.runs.imports.work import ImportFailed
from retainstream.storage.customers import Customers
from retainstream.storage.stores import Stores
from tests.importing import Steps, as_file, asked_for, imported, line, rejects

pytestmark = pytest.mark.usefixtures("aws")


def ids_stored() -> set[str]:
    return {item["customer_id"] for page in Customers().segment_pages() for item in page}


def asks(content: bytes) -> Any:
    """The view of an import that ends with a question about ids."""
    view = asked_for(content)
    with pytest.raises(ImportFailed) as failed:
        Steps(view.import_id).run()
    Stores().runs.fail(view.import_id, str(failed.value))
    return import_run(Stores(), view.import_id)


@pytest.mark.parametrize(
    ("known", "spelled", "words"),
    [
        ("{:06d}", "{}", "with leading zeros"),
        ("{}", "{:06d}", "without leading zeros"),
        ("{:06d}", "{}.0", "with leading zeros and without .0"),
        ("{}", "{}.0", "without .0"),
        ("{}.0", "{}", "with .0"),
        ("k-{:04d}", "K-{:04d}", "in small letters"),
        ("K-{:04d}", "k-{:04d}", "in capital letters"),
    ],
)
def test_new_customers_who_are_known_in_another_spelling_are_asked_about(known: str, spelled: str, words: str) -> None:
    numbers = range(1, 31)
    imported(as_file([line(known.format(number)) for number in numbers]))
    before = ids_stored()
    content = as_file([line(spelled.format(number), watch=7) for number in numbers])
    view = asks(content)
    assert view.status == "FAILED"
    assert view.question.sentence == f"30 new customers, of whom 30 are known {words}"
    example = view.question.examples[0].split(" is ")
    assert (example[0] in content.decode(), example[1] in before) == (True, True)
    assert ids_stored() == before
    as_known = imported(content, ids="as-known")
    assert (as_known.counts.created, as_known.counts.changed, ids_stored()) == (0, 30, before)
    assert any(note.startswith("ids were taken for the known ones") and words in note for note in as_known.notes)
    assert imported(content, ids="as-written").counts.created == 30
    assert imported(content).counts.unchanged == 30  # they are known by now


def test_truly_new_customers_are_not_asked_about() -> None:
    imported(as_file([line(f"{number:06d}") for number in range(1, 31)]))
    view = imported(as_file([line(f"{number:06d}") for number in range(20, 60)]))
    assert (view.status, view.counts.created, view.question) == ("SUCCEEDED", 29, None)


def test_a_customer_who_is_twice_in_one_file_is_asked_about(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(survey, "SMALLEST_PART", 200)
    lines = [line(f"{number:04d}") for number in range(1, 21)] + [line("7", watch=9), line("0008.0", watch=9)]
    view = asks(as_file(lines))
    assert view.question.sentence == "2 customers differ from others of the file in leading zeros and .0 alone"
    assert set(view.question.examples) == {"0007 and 7", "0008 and 0008.0"}
    assert not ids_stored()
    done = imported(as_file(lines), ids="as-known")
    assert ids_stored() == {f"{number:04d}" for number in range(1, 21)}
    assert rejects(done.import_id) == [f"{row},customer_id: is the id of an earlier row" for row in lines[-2:]]


def test_what_is_looked_up_does_not_grow_with_the_file() -> None:
    stored = {f"{number:08d}" for number in range(1, 100_000)}
    looked_up: list[int] = []

    def known(ids: Any) -> set[str]:
        wanted = {*ids}
        looked_up.append(len(wanted))
        return wanted & stored

    few = Sample([str(number) for number in range(1, 501)], whole=False)
    found = reshaped(few, known)
    assert found is not None
    assert found.spelling == Spelling(digits=8)
    assert found.sentence == "Of 500 ids that were looked up, 500 are new, of whom 500 are known with leading zeros"
    assert sum(looked_up) < 2_500


@pytest.mark.parametrize("text", ["000123", "123", "123.0", "00123,00"])
def test_spellings_of_a_number_have_one_form(text: str) -> None:
    assert canonical(text) == "123"
    assert Spelling("drop", 6)(text) == "000123"


def test_texts_that_are_no_numbers_keep_their_zeros() -> None:
    assert canonical("A-0012.0") == "a-0012.0"
    assert Spelling("drop", 0)("00A") == "00A"
