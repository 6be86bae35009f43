"""One spelling for each e-mail address."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from retainstream.accounts.email_address import LONGEST_ADDRESS, EmailAddress, domain_of, normalised

ATOM = st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+/=?^_`{|}~-", min_size=1, max_size=20)
LABEL = st.from_regex(r"[A-Za-z]([A-Za-z0-9-]{0,10}[A-Za-z0-9])?", fullmatch=True)
ADDRESS = st.builds(
    lambda local, domain: f"{'.'.join(local)}@{'.'.join(domain)}",
    st.lists(ATOM, min_size=1, max_size=3),
    st.lists(LABEL, min_size=2, max_size=4),
)
field = TypeAdapter(EmailAddress)


def full_width(text: str) -> str:
    return "".join(chr(ord(letter) + 0xFEE0) if "!" <= letter <= "~" else letter for letter in text)


@given(ADDRESS, st.sampled_from(["", " ", "\t", "\u00a0\n", "\u2003"]))
def test_every_spelling_of_an_address_becomes_the_same(address: str, space: str) -> None:
    one = normalised(address)
    assert one == address.lower()
    for spelling in (one, address.upper(), address.swapcase(), f"{space}{address}{space}", full_width(address)):
        assert normalised(spelling) == one
    assert one.endswith("@" + domain_of(one))


@given(st.text(max_size=300))
def test_whatever_is_accepted_is_in_normal_form(text: str) -> None:
    try:
        address = normalised(text)
    except ValueError:
        return
    assert normalised(address) == address
    assert address.isascii()
    assert address == unicodedata.normalize("NFKC", address).casefold().strip()
    assert address.count("@") == 1
    assert not any(letter.isspace() for letter in address)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "@",
        "ann",
        "ann@",
        "@example.com",
        "ann@example",
        "ann@localhost",
        "ann@@example.com",
        "ann@exa mple.com",
        "ann lee@example.com",
        ".ann@example.com",
        "ann.@example.com",
        "ann..lee@example.com",
        "ann@.example.com",
        "ann@example..com",
        "ann@example.com.",
        "ann@-example.com",
        "ann@example-.com",
        "ann@192.0.2.1",
        "ann@[192.0.2.1]",
        '"ann"@example.com',
        "ann@example.com\x00",
        "ann\r\nBcc: x@example.com",
        "ann@example.com\nx",
        "\u0430lex.chen@netflix.com",  # a Cyrillic a
        "alex.chen@netfl\u0131x.com",  # a dotless i
        "stra\u00dfe@example.com",
        "ann\u200b@example.com",
        "ann@ex\u00e4mple.com",
        "\ud800@example.com",
        f"{'a' * 65}@example.com",
        f"ann@{'a' * 64}.com",
        f"{'a' * 64}@{'.'.join(['b' * 60] * 4)}.com",
        "a" * 10_000 + "@example.com",
        "a@" + "a." * 5000 + "com",
    ],
)
def test_what_is_not_an_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not an e-mail address"):
        normalised(text)
    with pytest.raises(ValidationError):
        field.validate_python(text)


def test_the_longest_address_fits() -> None:
    address = f"{'a' * 64}@{'.'.join(['b' * 61] * 3)}.com"
    assert len(address) == LONGEST_ADDRESS
    assert normalised(address) == address
    with pytest.raises(ValueError, match="is not"):
        normalised(address.replace("b" * 61, "b" * 62, 1))


def test_letters_that_unicode_calls_the_same_are_the_same() -> None:
    assert normalised("\u212aate@example.com") == "kate@example.com"  # the Kelvin sign
    assert normalised("\uff41nn@example.com") == "ann@example.com"
