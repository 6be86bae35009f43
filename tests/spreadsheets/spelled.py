"""Numbers as spreadsheets and exports spell them, and the files that hold them."""

import csv
import io
import random
from collections.abc import Callable, Mapping

SPELLINGS: Mapping[str, Callable[[float], str]] = {
    "code behind": lambda n: f"{n:.2f} EUR",
    "code in front": lambda n: f"USD {n:.2f}",
    "francs": lambda n: f"CHF {n:.2f}",
    "minus and sign": lambda n: f"-${-n:.2f}" if n < 0 else f"${n:.2f}",
    "sign and minus": lambda n: f"${n:.2f}",
    "brackets": lambda n: f"({-n:.2f})" if n < 0 else f"{n:.2f}",
    "brackets and money": lambda n: f"$({-n:,.2f})" if n < 0 else f"${n:,.2f}",
    "minus behind": lambda n: f"{-n:.2f}-" if n < 0 else f"{n:.2f}",
    "minus of Unicode": lambda n: f"{n:.2f}".replace("-", "\u2212"),
    "rupees": lambda n: f"₹{n:.2f}",
    "crowns": lambda n: f"kr {n:.2f}",
    "zloty": lambda n: f"{n:.2f} zł",
    "reais": lambda n: f"R$ {n:.2f}",
    "Australian dollars": lambda n: f"A${n:.2f}",
    "euros a month": lambda n: f"{n:.2f} €/Monat",
    "text marker": lambda n: f"'{n:.2f}",
    "apostrophes": lambda n: f"{n:,.2f}".replace(",", "'"),
    "no-break blanks": lambda n: f"{n:,.2f}".replace(",", "\u00a0"),
    "thin blanks": lambda n: f"{n:,.2f}".replace(",", "\u2009"),
    "percent": lambda n: f"{n:.2f} %",
    "gigabytes": lambda n: f"{n:.2f}GB",
    "exponent": lambda n: f"{n:.6e}",
    "full width": lambda n: f"{n:.2f}".translate({ord(digit): ord(digit) + 0xFEE0 for digit in "0123456789."}),
    "Arabic digits": lambda n: f"{n:.2f}".translate({ord(digit): ord(digit) - 48 + 0x660 for digit in "0123456789"} | {ord("."): "\u066b"}),
}
"""By name: a number with two decimals as text, with a decimal point where it has a mark."""


def table(spell: Callable[[float], str], *, count: int = 150, seed: int = 5, delimiter: str = ",") -> tuple[bytes, list[float]]:
    """A file with a column `x` of spelled numbers, and these numbers."""
    rng = random.Random(seed)
    numbers = [round(rng.uniform(-3_000, 9_000), 2) for _ in range(count)]
    return file_of([spell(number) for number in numbers], delimiter=delimiter), numbers


def file_of(cells: list[str], *, header: str = "x", delimiter: str = ",") -> bytes:
    """A file with these cells in a column, an id, an age, and outcomes by chance."""
    text, rng = io.StringIO(), random.Random(7)
    rows = ([f"K-{place:05d}", cell, rng.randrange(18, 90), rng.choice(("yes", "no", "no"))] for place, cell in enumerate(cells))
    csv.writer(text, delimiter=delimiter).writerows([["id", header, "age", "left"], *rows])
    return text.getvalue().encode()
