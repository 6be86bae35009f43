"""Source files of a generated business, as companies of several countries would export them."""

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path

from retainstream.engine.business.business import Business
from retainstream.engine.business.simulation import simulate
from retainstream.engine.business.streams import Event, Profile, Subscription, events, profiles, subscriptions

UNTIL = date(2026, 10, 31)


@dataclass(frozen=True)
class Dialect:
    """How a company writes its files: headers in the order of the generated fields, names of events, and spellings."""

    subscriptions: tuple[str, ...]
    events: tuple[str, ...]
    profile: tuple[str, ...]
    kinds: tuple[str, str, str, str] = ("login", "play", "payment", "payment_failed")
    delimiter: str = ","
    encoding: str = "utf-8"
    day: str = "%Y-%m-%d"
    moment: str = "%Y-%m-%dT%H:%M:%SZ"
    decimal: str = "."


ENGLISH = Dialect(Subscription._fields, Event._fields, Profile._fields)
AMERICAN = Dialect(
    ("Account Number", "Start Date", "Cancel Date", "Product", "MRR"),
    ("Account", "Timestamp", "Activity Type", "Value", "Device"),
    ("Acct ID", "Signup Date", "Country"),
    delimiter="\t",
    day="%m/%d/%Y",
    moment="%m/%d/%Y %H:%M",
)
GERMAN = Dialect(
    ("Kundennummer", "Vertragsbeginn", "Kündigungsdatum", "Tarif", "Monatspreis"),
    ("Kunde", "Zeitpunkt", "Ereignis", "Betrag", "Gerät"),
    ("Kunden-Nr.", "Geworben am", "Land"),
    kinds=("Anmeldung", "Wiedergabe", "Zahlung", "Zahlung gescheitert"),
    delimiter=";",
    encoding="cp1252",
    day="%d.%m.%Y",
    moment="%d.%m.%Y %H:%M",
    decimal=",",
)
SPANISH = Dialect(
    ("cliente_id", "fecha_alta", "fecha_baja", "plan", "cuota"),
    ("cliente", "fecha", "tipo_evento", "importe", "dispositivo"),
    ("id_cliente", "fecha_registro", "pais"),
    kinds=("acceso", "reproducción", "pago", "pago_fallido"),
    delimiter=";",
    day="%d/%m/%Y",
    moment="%d/%m/%Y %H:%M:%S",
    decimal=",",
)
FRENCH = Dialect(
    ("Identifiant abonné", "Début", "Résiliation", "Formule", "Prix"),
    ("Abonné", "Date et heure", "Type d'événement", "Montant", "Appareil"),
    ("Abonné", "Inscrit le", "Pays"),
    delimiter=";",
    day="%Y-%m-%d",
    moment="%Y-%m-%d %H:%M:%S",
    decimal=",",
)


@cache
def business(customers: int = 250, months: int = 8) -> Business:
    """The generated business; the same for every test."""
    return simulate(customers, months, UNTIL, seed=5)


def write_sources(folder: Path, dialect: Dialect = ENGLISH, made: Business | None = None) -> dict[str, Path]:
    """Writes subscriptions, events and profile into a folder; by source."""
    known = made or business()

    def day(text: str) -> str:
        return date.fromisoformat(text).strftime(dialect.day) if text else ""

    def number(value: float | None) -> str:
        return "" if value is None else f"{value}".replace(".", dialect.decimal)

    kinds = dict(zip(("login", "play", "payment", "payment_failed"), dialect.kinds, strict=True))
    rows: dict[str, tuple[tuple[str, ...], list[Sequence[str]]]] = {
        "subscriptions": (
            dialect.subscriptions,
            [[s.customer_id, day(s.started_on), day(s.ended_on), s.plan, number(s.monthly_price)] for s in subscriptions(known)],
        ),
        "events": (
            dialect.events,
            [
                [e.customer_id, datetime.fromisoformat(e.occurred_at).strftime(dialect.moment), kinds[e.event], number(e.amount), e.device]
                for e in events(known)
            ],
        ),
        "profile": (dialect.profile, [[p.customer_id, day(p.joined_on), p.country] for p in profiles(known)]),
    }
    return {name: write_table(folder / f"{name}.csv", header, lines, dialect) for name, (header, lines) in rows.items()}


def write_table(path: Path, header: Sequence[str], rows: Sequence[Sequence[str]], dialect: Dialect = ENGLISH) -> Path:
    """Writes a file of a dialect."""
    with path.open("w", newline="", encoding=dialect.encoding) as stream:
        writer = csv.writer(stream, delimiter=dialect.delimiter)
        writer.writerow(header)
        writer.writerows(rows)
    return path


def changed(path: Path, change: Callable[[int, list[str]], list[str]], *, most: int | None = None) -> Path:
    """Changes each row of a file, given its number, in place; `most` keeps only the first rows."""
    with path.open(newline="") as stream:
        header, *rows = list(csv.reader(stream))
    return write_table(path, header, [change(number, row) for number, row in enumerate(rows[:most])])
