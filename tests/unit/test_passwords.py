"""Which passwords are accepted, and how they are kept."""

import re

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from zxcvbn.frequency_lists import FREQUENCY_LISTS

from retainstream.accounts import passwords
from retainstream.accounts.accounts import new_user
from retainstream.accounts.passwords import UnacceptablePassword, check_acceptable, hashed, matches

GOOD = "four unrelated words here"
COMMON = sorted({word for words in FREQUENCY_LISTS.values() for word in words})
SUBSTITUTES = [("", ""), ("a", "@"), ("e", "3"), ("i", "1"), ("o", "0"), ("s", "$")]
PHRASES = sorted(word for word in FREQUENCY_LISTS["english_wikipedia"] if len(word) > 3)


@pytest.mark.parametrize(
    "password",
    [
        "password",
        "password1",
        "Password1!",
        "P@ssw0rd",
        "12345678",
        "123456789012345678901234567890",
        "qwertyuiop",
        "1q2w3e4r5t",
        "iloveyou",
        "letmein123",
        "aaaaaaaaaaaa",
        "abcdefghijkl",
        "Welcome1",
        "drowssap",
        "2024-01-01",
        "retainstream1",
        "\uff50\uff41\uff53\uff53\uff57\uff4f\uff52\uff44",  # "password" in full-width letters
        "Netflix2026",
        "summer2026!",
        "Passw0rd!2026",
        "letmein2024!",
        "Winter#25",
        "qwertz-1999!!",
        "1234562026!",
    ],
)
def test_common_passwords_are_refused(password: str) -> None:
    with pytest.raises(UnacceptablePassword, match="easy to guess"):
        check_acceptable(password)


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(COMMON),
    st.booleans(),
    st.sampled_from(SUBSTITUTES),
    st.sampled_from(["", "!", "-", "#"]),
    st.one_of(st.integers(1950, 2049).map(str), st.integers(0, 999).map(str), st.just("")),
    st.sampled_from(["", "!", "!!", "?"]),
)
def test_a_common_word_is_refused_with_a_capital_a_substitute_a_year_a_number_and_marks(
    word: str, capital: bool, substitute: tuple[str, str], between: str, number: str, marks: str
) -> None:
    written = word.replace(*substitute) if word.isalpha() and substitute[0] else word
    assume(not written[-1].isdigit() or between or len(number) == 4)  # otherwise the number does not begin at its first digit
    with pytest.raises(UnacceptablePassword):
        check_acceptable(f"{written.capitalize() if capital else written}{between}{number}{marks}")


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sampled_from(PHRASES), min_size=3, max_size=5, unique=True), st.sampled_from(["", "!", "7", " 2026", "2026!"]))
def test_a_few_words_are_accepted_with_and_without_an_ending(words: list[str], ending: str) -> None:
    check_acceptable(" ".join(words) + ending)


def test_a_refusal_says_what_to_do() -> None:
    with pytest.raises(UnacceptablePassword, match=r"choose a few unrelated words; a year, a number or marks at the end do not count"):
        check_acceptable("summer2026!")


@pytest.mark.parametrize("password", ["Acme-Tools2026!", "lookingglass1999", "AnnabelleLiddell7"])
def test_the_words_of_a_persons_address_and_name_are_common_for_that_person(password: str) -> None:
    check_acceptable("unrelated-" + password)
    with pytest.raises(UnacceptablePassword, match="easy to guess"):
        new_user("annabelle_liddell@looking.glass.acme-tools.example", password, name="Annabelle Liddell")


@pytest.mark.parametrize("password", ["annabelle1", "Wonderland1", "annabelle@wonderland.example"])
def test_passwords_made_of_ones_own_name_are_refused(password: str) -> None:
    with pytest.raises(UnacceptablePassword, match="easy to guess"):
        check_acceptable(password, ["annabelle@wonderland.example", "annabelle", "wonderland"])


@pytest.mark.parametrize(
    "password",
    [
        GOOD,
        "kxwqzvtb",
        "0482917365",
        "ПраваяРукаСлона",
        "馬鹿馬鹿しい長い話です",
        "!§%&/()=?",
        "        x  y  z   w",
        "x7" + "kpqm" * 31 + "zz",
    ],
)
def test_no_kind_of_character_is_asked_for(password: str) -> None:
    check_acceptable(password)
    assert matches(hashed(password), password)


@pytest.mark.parametrize(
    ("password", "says"),
    [
        ("kxwqzvt", "fewer than 8"),
        ("", "fewer than 8"),
        ("kxwqzvt\u0301", None),  # one letter with its accent: eight after NFKC only if they do not join
        ("e\u0301" * 7, "fewer than 8"),
        ("kxwqzvtb" * 16, None),
        ("kxwqzvtb" * 16 + "q", "more than 128"),
        ("\ufdfa" * 8, "more than 128"),  # one character that NFKC makes eighteen of
    ],
)
def test_length_is_counted_after_normalisation(password: str, says: str | None) -> None:
    if says is None:
        check_acceptable(password)
    else:
        with pytest.raises(UnacceptablePassword, match=says):
            check_acceptable(password)


def test_a_refusal_names_the_field_and_not_the_password() -> None:
    with pytest.raises(UnacceptablePassword) as refusal:
        check_acceptable("letmein123", field="new_password")
    assert refusal.value.field == "new_password"
    assert "letmein" not in str(refusal.value)


def test_what_is_kept_is_argon2id_at_the_recommended_figures_with_a_salt_of_its_own() -> None:
    one, other = hashed(GOOD), hashed(GOOD)
    assert one != other
    assert re.fullmatch(r"\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}", one)
    assert not passwords.is_outdated(one)
    assert passwords.is_outdated(one.replace("t=2", "t=1"))


def test_nobody_has_no_password() -> None:
    assert not matches(None, GOOD)
    assert not matches(None, "")


@settings(max_examples=25, deadline=None)
@given(st.text(st.characters(codec="utf-8"), max_size=140), st.text(st.characters(codec="utf-8"), max_size=140))
def test_only_the_same_password_matches(one: str, other: str) -> None:
    import unicodedata

    kept = hashed(one)
    assert matches(kept, one)
    assert matches(kept, unicodedata.normalize("NFD", one)) == (
        unicodedata.normalize("NFKC", unicodedata.normalize("NFD", one)) == unicodedata.normalize("NFKC", one)
    )
    assert matches(kept, other) == (unicodedata.normalize("NFKC", one) == unicodedata.normalize("NFKC", other))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("kxwqzvt\u00e9", "kxwqzvte\u0301", True),  # composed or not
        ("kxwqzvt\ufb01", "kxwqzvtfi", True),  # a ligature
        ("kxwqzvt\u2460", "kxwqzvt1", True),  # a circled digit
        ("kxwqzvtb ", "kxwqzvtb", False),
        (" kxwqzvtb", "kxwqzvtb", False),
        ("kxwqzvtb\u00a0", "kxwqzvtb ", True),  # a no-break space is a space
        ("kxwqzvtb\x00x", "kxwqzvtb\x00y", False),
        ("kxwqzvtb\x00", "kxwqzvtb", False),
        ("kxwqzvtb\n", "kxwqzvtb", False),
        ("Kxwqzvtb", "kxwqzvtb", False),
        ("x" * 127 + "y", "x" * 127 + "z", False),
        ("\U0001f511" * 127 + "\U0001f512", "\U0001f511" * 128, False),
    ],
)
def test_nothing_of_a_password_is_passed_over(one: str, other: str, same: bool) -> None:
    assert matches(hashed(one), other) is same


def test_a_hundred_and_twenty_eight_characters_of_four_bytes_are_a_password() -> None:
    letters = "".join(chr(0x10400 + 37 * place % 40) for place in range(128))
    assert len(letters.encode()) == 512
    check_acceptable(letters)
    assert matches(hashed(letters), letters)
    assert not matches(hashed(letters), letters[:-1])
    with pytest.raises(UnacceptablePassword, match="more than 128"):
        check_acceptable(letters + "x")


@pytest.mark.parametrize(
    "stored", ["", "x", "$argon2id$", "$argon2id$v=19$m=19456,t=2,p=1$AAAA$AAAA", "$2b$12$" + "a" * 53, "a" * 100_000, "\x00", "\u00e4"]
)
def test_what_is_no_hash_matches_nothing(stored: str) -> None:
    assert not matches(stored, GOOD)
    assert not matches(stored, stored)
