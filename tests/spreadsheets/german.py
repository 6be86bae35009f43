"""A base of German customers, as Excel writes it: semicolons, decimal commas, a byte order mark, and ids with leading zeros."""

import csv
import io
import random
from collections.abc import Iterable, Mapping
from datetime import date, timedelta

from retainstream.engine.schema import FeatureSchema

type Row = dict[str, str]

ID, LABEL = "Kundennr", "Gekündigt"
HEADER = (ID, "Paket 📦", "Land", "Kanal", "Laufzeit", "Monatsbeitrag", "Saldo", "Anrufe", "Größe", "Beginn", LABEL)
PLANS = ("Plus", "Pro <b>", "🙂 Basic")
COUNTRIES = ("AT", "CH", "DE", "NA")
CHANNELS = ("=Partner", "Shop", "Tel", "Web")
SIZES = ("groß", "klein", "mittel")


def schema(**changes: object) -> FeatureSchema:
    """The schema of the base, without a column that may be missing; `changes` replace parts of the document."""
    columns = [
        {"name": "Paket", "source": "Paket 📦", "kind": "category", "label": "Paket", "levels": list(PLANS)},
        {"name": "Land", "kind": "category", "label": "Land", "levels": list(COUNTRIES)},
        {"name": "Kanal", "kind": "category", "label": "Kanal", "levels": list(CHANNELS)},
        {"name": "Laufzeit", "kind": "integer", "label": "Laufzeit", "min": 0, "max": 200},
        {"name": "Monatsbeitrag", "kind": "number", "label": "Monatsbeitrag", "min": 0, "max": 500},
        {"name": "Saldo", "kind": "number", "label": "Saldo", "min": -500, "max": 500},
        {
            "name": "Anrufe",
            "kind": "integer",
            "label": "Anrufe",
            "min": 0,
            "max": 20,
            "action": {"title": "Zurückrufen", "cost": 3.0, "save_rate": 0.3},
        },
        {"name": "Grosse", "source": "Größe", "kind": "category", "label": "Größe", "levels": list(SIZES)},
        {"name": "Beginn", "kind": "date", "label": "Beginn", "format": "%d.%m.%Y", "feature": False},
    ]
    document = {
        "name": "kunden",
        "title": "Kunden",
        "id": {"column": ID, "label": "Customer"},
        "label": {"column": "Gekundigt", "source": LABEL, "positive": "Ja"},
        "group": "Paket",
        "horizon_days": 30,
        "money": {"price": "Monatsbeitrag", "currency": "EUR", "months": 12, "offer_cost": 5.0, "save_rate": 0.2},
        "columns": columns,
    }
    return FeatureSchema.model_validate(document | changes)


def rows(count: int = 1600, *, seed: int = 23) -> list[Row]:
    """Customers 000001 and on: about a third of the known outcomes is "Ja", and every fourth outcome is blank."""
    rng = random.Random(seed)
    made = []
    for number in range(1, count + 1):
        months, calls, balance = rng.randrange(73), rng.randrange(10), rng.gauss(0, 60)
        left = rng.random() < 1 / (1 + 2.718 ** (1.2 + 0.04 * (months - 36) - 0.25 * (calls - 4) + balance / 120))
        began = date(2015, 1, 1) + timedelta(days=rng.randrange(3_600))
        values = (
            f"{number:06d}",
            rng.choice(PLANS),
            rng.choice(COUNTRIES),
            rng.choice(CHANNELS),
            str(months),
            german(rng.uniform(9, 140)),
            german(balance),
            str(calls),
            rng.choice(SIZES),
            began.strftime("%d.%m.%Y"),
            "" if rng.random() < 0.25 else "Ja" if left else "Nein",
        )
        made.append(dict(zip(HEADER, values, strict=True)))
    return made


def german(number: float) -> str:
    """The number as a German spreadsheet shows it: 1.234,50."""
    return f"{number:,.2f}".replace(",", "_").replace(".", ",").replace("_", ".")


def changed(row: Mapping[str, str], **values: str) -> Row:
    """The row with other values; a keyword is the header without blanks and signs (Paket, Groesse, Gekuendigt)."""
    headers = {"Paket": "Paket 📦", "Groesse": "Größe", "Gekuendigt": LABEL}
    return {**row, **{headers.get(name, name): value for name, value in values.items()}}


def as_csv(rows: Iterable[Mapping[str, str]], columns: Iterable[str] = HEADER) -> bytes:
    """The rows as a file with these columns: UTF-8 with a byte order mark, semicolons and CRLF."""
    text, columns = io.StringIO(), list(columns)
    writer = csv.DictWriter(text, columns, delimiter=";", extrasaction="ignore", restval="")
    writer.writeheader()
    writer.writerows(rows)
    return ("\ufeff" + text.getvalue()).encode()
