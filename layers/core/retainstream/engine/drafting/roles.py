"""The columns of source files by their roles: customer, time, kind and amount of an event; start, end, price and plan of a subscription.

A role is recognised by the words of a header, in several languages, and by the values. Between files, the columns of the customers are
those whose values agree.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from retainstream.engine.drafting.dates import has_one_format, ways_of_writing
from retainstream.engine.drafting.names import likely_group, likely_price, names_a_key, names_the_customer
from retainstream.engine.drafting.profiles import Profile, profiles_of
from retainstream.engine.schema import Events, Subscriptions
from retainstream.engine.tables.binding import some_of
from retainstream.engine.tables.cells import MISSING
from retainstream.engine.tables.columnar import TextTable
from retainstream.engine.tables.problems import TableProblem, UnreadableTable
from retainstream.engine.traps.leaks import share
from retainstream.engine.traps.words import words_of

_CUSTOMER = frozenset(
    {"customer", "client", "user", "account", "subscriber", "member", "msisdn", "cust", "kunde", "konto", "mitglied"}
    | {"nutzer", "abonnent", "teilnehmer", "cliente", "usuario", "cuenta", "conta", "socio", "assinante", "utente"}
    | {"utilisateur", "abonne", "membre", "compte", "klant", "gebruiker", "klient"}
)
_TIME = frozenset(
    {"date", "time", "occurred", "happened", "timestamp", "created", "when", "moment", "day", "at", "on", "ts", "datum"}
    | {"zeit", "wann", "tag", "am", "um", "fecha", "hora", "dia", "data", "giorno", "heure", "jour", "quand", "tijd", "dag"}
)
_OTHER_TIME = frozenset(
    {"birth", "dob", "updated", "modified", "loaded", "inserted", "imported", "extract", "expir", "due", "geburt"}
    | {"geandert", "geladen", "fallig", "naissance", "nacimiento", "nascita", "geboorte"}
)
_KIND = frozenset(
    {"event", "kind", "type", "action", "activity", "name", "ereignis", "art", "typ", "aktion", "vorgang", "evento", "tipo"}
    | {"accion", "acao", "azione", "evenement", "genre", "soort", "gebeurtenis", "actie"}
)
_AMOUNT = frozenset(
    {"amount", "total", "value", "revenue", "spend", "spent", "price", "cost", "charge", "paid", "betrag", "summe", "wert"}
    | {"umsatz", "preis", "kosten", "importe", "valor", "precio", "montant", "prix", "importo", "prezzo", "preco", "bedrag"}
    | {"prijs"}
)
_MEASURE = frozenset(
    {"quantity", "qty", "units", "minutes", "seconds", "hours", "duration", "count", "menge", "anzahl", "dauer", "minuten"} | {"cantidad"}
)
_START = frozenset(
    {"start", "begin", "began", "begun", "joined", "signup", "signed", "created", "since", "from", "activated", "opened"}
    | {"beginn", "anfang", "von", "seit", "abschluss", "aktiviert", "inicio", "desde", "alta", "inizio", "debut", "depuis"}
    | {"aanvang", "vanaf"}
)
_END = frozenset(
    {"end", "ended", "ends", "cancel", "terminat", "churn", "left", "closed", "until", "stop", "expir", "deactivat", "ende"}
    | {"kundig", "gekundigt", "bis", "austritt", "fin", "baja", "hasta", "cancelacion", "fine", "disdetta", "resili"}
    | {"jusque", "einde", "opzeg", "fim"}
)
_PRICE = frozenset(
    {"price", "fee", "charge", "mrr", "amount", "preis", "gebuhr", "beitrag", "precio", "cuota", "prix", "tarif", "prezzo"}
    | {"preco", "prijs"}
)
_PLAN = frozenset(
    {"plan", "tier", "package", "product", "subscription", "tariff", "tarif", "paket", "produkt", "abo", "abonnement"}
    | {"vertrag", "forfait", "formule", "suscripcion", "paquete", "piano", "pacchetto", "abbonamento", "pakket", "plano"}
)
_MOST_KINDS = 200
_AGREE = 0.5
_UNITS = (1.0, 0.001)
_FROM, _UNTIL = 9e8, 2.5e9
"""Seconds since 1970, in 1998 and in 2049."""
_FEWEST_VALUES = 20
_UNREAD = 0.02


@dataclass(frozen=True)
class Source:
    """A source file: its text and the profile of each column, by header."""

    table: TextTable
    profiles: dict[str, Profile]

    @classmethod
    def of(cls, table: TextTable) -> "Source":
        return cls(table, {profile.name: profile for profile in profiles_of(table)})

    def date_form(self, header: str) -> str | None:
        """The strptime format of a column's dates ("" for ISO dates); None if it does not hold dates."""
        profile = self.profiles[header]
        if profile.holds == "constant":
            return ways_of_writing(profile.levels)[0].form
        if profile.holds != "date" or profile.dates is None or not _nearly_all_read(profile):
            return None
        return profile.form if has_one_format(list(self.values(header)), profile.form) else None

    def values(self, header: str) -> set[str]:
        """The distinct values of a column, without missing ones."""
        return {value for value, _ in self.profiles[header].levels}


def customers_of(sources: Mapping[str, Source], chosen: Mapping[str, str]) -> dict[str, str]:
    """The header of the customer's id in each source.

    `chosen` is the header for sources in which a person has named it.

    Raises:
        UnreadableTable: a source has no column of customers.
    """
    ids: dict[str, str] = dict(chosen)
    for name, source in sources.items():
        if name in ids:
            continue
        others = [other for other in sources if other != name]
        candidates = {
            header: _customer_score(source, header, [(sources[other], ids.get(other)) for other in others]) for header in source.profiles
        }
        best = max(candidates, key=lambda header: candidates[header])
        if candidates[best] <= 0:
            raise UnreadableTable(
                source.table.source,
                [TableProblem(f"no column names the customer; name it with --role {name}.id=COLUMN ({_held(source)})")],
            )
        ids[name] = best
    return ids


def _customer_score(source: Source, header: str, others: Sequence[tuple[Source, str | None]]) -> float:
    profile = source.profiles[header]
    if profile.holds in ("date", "empty", "boolean", "text") or (profile.holds == "number" and not _named(header, _CUSTOMER)):
        return 0.0
    agreement = max((_agreement(source, header, other, its) for other, its in others), default=0.0)
    named = names_the_customer(header) or _named(header, _CUSTOMER)
    return 4.0 * (agreement >= _AGREE) + agreement + 3.0 * named + 1.0 * names_a_key(header) - 2.0 * (profile.distinct <= 1 and not named)


def _agreement(source: Source, header: str, other: Source, its: str | None) -> float:
    """The largest share of a column's values that a column of another source has too."""
    mine = source.values(header)
    if len(mine) < _FEWEST_VALUES:
        return 0.0
    headers = (
        [its] if its else [name for name, profile in other.profiles.items() if profile.holds not in ("date", "number", "boolean", "empty")]
    )
    return max((len(mine & other.values(name)) / len(mine) for name in headers), default=0.0)


def events_of(source: Source, file: str, customer: str, chosen: Mapping[str, str]) -> Events:
    """A file of events, with the customer's column known. `chosen` is role → header where a person has named it.

    Raises:
        UnreadableTable: no column holds dates.
    """
    taken = {customer, *chosen.values()}
    at = _chosen_date(source, "events.at", chosen.get("at"), _TIME) or _best(
        _dates(source, taken), lambda header: 2 * _named(header, _TIME) - 4 * _named(header, _OTHER_TIME), least=-9
    )
    if at is None:
        raise UnreadableTable(source.table.source, [_no_dates(source, "events.at", _TIME)])
    taken.add(at)
    kinds = [
        header
        for header, profile in source.profiles.items()
        if header not in taken and profile.holds in ("category", "constant", "boolean") and profile.distinct <= _MOST_KINDS
    ]
    kind = chosen.get("kind") or _best(kinds, lambda header: _named(header, _KIND))
    taken |= {kind} if kind else set()
    numbers = [header for header, profile in source.profiles.items() if header not in taken and profile.is_numeric]
    amount = chosen.get("amount") or _best(numbers, lambda header: 2 * _named(header, _AMOUNT) + _named(header, _MEASURE))
    return Events(file=file, id=customer, at=at, kind=kind, amount=amount)


def subscriptions_of(source: Source, file: str, customer: str, chosen: Mapping[str, str]) -> Subscriptions:
    """A file of subscriptions, with the customer's column known. `chosen` is role → header where a person has named it.

    Raises:
        UnreadableTable: no column holds dates.
    """
    taken = {customer, *chosen.values()}
    dates = _dates(source, taken)
    end = _chosen_date(source, "subscriptions.end", chosen.get("end"), _END) or _best(
        dates, lambda header: 2 * _named(header, _END) - 2 * _named(header, _START)
    )
    taken |= {end} if end else set()
    start = _chosen_date(source, "subscriptions.start", chosen.get("start"), _START) or _best(
        [header for header in dates if header not in taken],
        lambda header: 2 * _named(header, _START) + _named(header, _TIME) - 4 * _named(header, _OTHER_TIME) - _gaps(source, header),
        least=-9,
    )
    if start is None:
        raise UnreadableTable(source.table.source, [_no_dates(source, "subscriptions.start", _START)])
    taken.add(start)
    if end is None:
        later = [header for header in dates if header not in taken and _gaps(source, header) and not _named(header, _OTHER_TIME)]
        end = next((header for header in later if _follows(source, start, header)), None)
        taken |= {end} if end else set()
    free = [header for header in source.profiles if header not in taken]
    numbers = [header for header in free if source.profiles[header].is_numeric]
    price = chosen.get("price") or likely_price(numbers) or _best(numbers, lambda header: _named(header, _PRICE))
    texts = [header for header in free if source.profiles[header].holds in ("category", "constant")]
    plan = chosen.get("plan") or likely_group(texts) or _best(texts, lambda header: _named(header, _PLAN))
    return Subscriptions(file=file, id=customer, start=start, end=end, price=price, plan=plan)


def _chosen_date(source: Source, role: str, header: str | None, stems: Collection[str]) -> str | None:
    """The header that a person has named for a date.

    Raises:
        UnreadableTable: the column does not hold dates.
    """
    if header is not None and source.date_form(header) is None:
        only = Source(source.table, {header: source.profiles[header]})
        raise UnreadableTable(source.table.source, [_no_dates(only, role, stems)])
    return header


def _dates(source: Source, taken: Iterable[str]) -> list[str]:
    return [header for header in source.profiles if header not in taken and source.date_form(header) is not None]


def _best(headers: Iterable[str], score: Callable[[str], float], *, least: float = 0.0) -> str | None:
    """The first header with the highest score above `least`."""
    scored = [(score(header), header) for header in headers]
    best = max((value for value, _ in scored), default=least)
    return next((header for value, header in scored if value == best), None) if best > least else None


def _named(header: str, stems: Collection[str]) -> bool:
    """Whether a word of the header is, or from four letters on begins with or contains, one of the stems."""
    words = words_of(header)
    joined = "".join(words)
    return any(stem in words if len(stem) < 4 else stem in joined for stem in stems)


def _gaps(source: Source, header: str) -> bool:
    return source.profiles[header].missing_count > 0


def _follows(source: Source, start: str, end: str) -> bool:
    """Whether the dates of one column are not before those of another, for nearly all rows that have both."""
    difference = source.profiles[end].values() - source.profiles[start].values()
    known = difference[~np.isnan(difference)]
    return len(known) > 0 and float(np.mean(known >= 0)) >= 0.98


def _nearly_all_read(profile: Profile) -> bool:
    """Whether nearly all days of a column are written in its format."""
    odd = profile.rows_of(profile.odd)
    return odd <= _UNREAD * (odd + int(profile.counts[~profile.absent].sum()))


def _texts(profile: Profile) -> list[tuple[str, int]]:
    """The texts of a column with their rows, most frequent first, also those that do not fit its kind."""
    texts = [(text, int(count)) for text, count in zip(profile.text.values, profile.counts, strict=True) if text.lower() not in MISSING]
    return sorted(texts, key=lambda counted: (-counted[1], counted[0]))


def _held(source: Source) -> str:
    return some_of([f"{header}: {profile.holds}" for header, profile in source.profiles.items()])


def _no_dates(source: Source, role: str, stems: Collection[str]) -> TableProblem:
    """The reason why no column of a source holds dates."""
    for header, profile in source.profiles.items():
        unit = _unit_since_1970(profile)
        if unit:
            example = datetime.fromtimestamp(float(np.nanmin(profile.numbers)) * unit, UTC).isoformat(timespec="seconds")
            unit_name = "seconds" if unit == 1 else "milliseconds"
            detail = f"counts {unit_name} since 1970; write {np.nanmin(profile.numbers):.0f} like {example}"
            return TableProblem(detail.replace("+00:00", "Z"), column=header)
    written = {header: ways_of_writing(_texts(profile)) for header, profile in source.profiles.items() if not profile.is_numeric}
    shares = {header: sum(way.rows for way in ways if way.form is not None) / len(source.table) for header, ways in written.items()}
    best = max(shares, key=lambda header: shares[header] + 0.1 * _named(header, stems), default=None)
    if best is None or shares[best] < _AGREE:
        return TableProblem(f"no column holds days; name it with --role {role}=COLUMN ({_held(source)})")
    *dates, last = written[best]
    spelled = [
        f"{share(way.rows, len(source.table))} are like {way.example}" for way in ([*dates, last] if last.form is not None else dates)
    ]
    if len(spelled) > 1:
        return TableProblem(f"mixes date formats: {', '.join(spelled[:3])}; write all dates in one format", column=best)
    return TableProblem(f'{spelled[0]}, and others are no days, like "{last.example}"; correct or empty these', column=best, rows=last.rows)


def _unit_since_1970(profile: Profile) -> float:
    """The seconds of a unit in which all numbers of a column count the time since 1970; 0 if they do not."""
    numbers = profile.numbers[~np.isnan(profile.numbers)]
    units = [unit for unit in _UNITS if len(numbers) and float(numbers.min()) * unit >= _FROM and float(numbers.max()) * unit < _UNTIL]
    return units[0] if units else 0.0
