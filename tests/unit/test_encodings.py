"""Code pages of many countries, told apart on small files."""

import io

import pytest

from retainstream.engine.tables import UnreadableTable, open_table
from retainstream.engine.tables.encodings import encoding_of, name_of, wide_encoding_of
from tests.spreadsheets.files import COUNTRIES, country_text

PAGES = [(country, encoding) for country, (*_, encodings) in COUNTRIES.items() for encoding in (*encodings, "utf-8")]


@pytest.mark.parametrize(("country", "encoding"), PAGES)
def test_the_encoding_of_a_small_table_is_told(country: str, encoding: str) -> None:
    text = country_text(country)
    content = text.encode(encoding)
    assert content.decode(encoding_of(content)) == text
    with open_table(io.BytesIO(content)) as table:
        records = list(table.records())
        assert table.header == text.split("\r\n")[0].split(";")
        assert [record for _, record in records] == [line.split(";") for line in text.split("\r\n")[1:-1]]
        assert bool(table.notes) == (encoding != "utf-8")


@pytest.mark.parametrize("rows", [1, 2, 5])
@pytest.mark.parametrize(
    ("country", "encoding"), [("Polish", "cp1250"), ("Russian", "cp1251"), ("Japanese", "cp932"), ("German", "cp1252")]
)
def test_a_header_and_a_few_rows_are_enough(country: str, encoding: str, rows: int) -> None:
    text = country_text(country, rows)
    assert text.encode(encoding).decode(encoding_of(text.encode(encoding))) == text


@pytest.mark.parametrize("word", ["Köln", "KÖLN", "für", "São", "coût", "Åse", "niño", "Jörg"])
def test_a_single_accented_word_is_no_chinese(word: str) -> None:
    assert encoding_of(f"city;left\n{word};no\nBonn;yes\n".encode("cp1252")) == "cp1252"


@pytest.mark.parametrize(
    ("word", "encoding"), [("男", "cp932"), ("A型", "cp932"), ("B組", "cp932"), ("VIP会員", "cp932"), ("台北", "big5"), ("VIP會員", "big5")]
)
def test_a_single_word_of_chinese_signs_is_no_accented_one(word: str, encoding: str) -> None:
    assert encoding_of(f"city;left\n{word};no\nBonn;yes\n".encode(encoding)) == encoding


def test_a_note_names_the_code_page_and_errors_mention_it() -> None:
    content = country_text("Polish").encode("cp1250")
    with open_table(io.BytesIO(content)) as table:
        assert table.notes == ["the file is not UTF-8; it was read as Windows-1250 (Central European)"]
        assert "state the encoding (--encoding)" in table.hint
    with open_table(io.BytesIO(content), encoding="cp1252") as table:
        assert table.header[-1] == "Odszed³"
        assert not table.notes
    with pytest.raises(UnreadableTable, match="klingon is not the name of an encoding"):
        open_table(io.BytesIO(content), encoding="klingon")
    assert name_of("cp932") == "Windows-932 (Shift JIS)"


def test_utf_16_is_told_without_its_mark() -> None:
    text = country_text("German")
    for encoding in ("utf-16-le", "utf-16-be"):
        assert wide_encoding_of(text.encode(encoding)) == encoding
        with open_table(io.BytesIO(text.encode(encoding))) as table:
            assert table.header[-1] == "Gekündigt"
    assert not wide_encoding_of(b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR")


def test_single_lines_in_another_encoding_are_no_code_page() -> None:
    lines = country_text("German").encode("utf-8").split(b"\r\n")
    lines[5] = lines[5].decode().replace("Basic", "Größe").encode("cp1252")
    with open_table(io.BytesIO(b"\r\n".join(lines))) as table:
        records = dict(table.records())
        assert records[6][1] in ("Größe", "Plus")
        assert table.encoding == "utf-8"
