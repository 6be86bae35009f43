"""Recognises source files: the columns of each role, and how their days are written."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from retainstream.engine.drafting.dates import other_reading
from retainstream.engine.drafting.findings import Finding
from retainstream.engine.drafting.roles import Source, customers_of, events_of, subscriptions_of
from retainstream.engine.schema import Events, Profile, Sources, Subscriptions
from retainstream.engine.tables.binding import nearest, some_of
from retainstream.engine.tables.columnar import TextTable
from retainstream.engine.tables.problems import TableProblem, UnreadableTable
from retainstream.engine.traps.words import words_of

ROLES = {"events": ("id", "at", "kind", "amount"), "subscriptions": ("id", "start", "end", "price", "plan"), "profile": ("id", "at")}
_CHANGED = frozenset({"valid", "from", "since", "changed", "updated", "snapshot", "asof", "effective", "version", "gultig", "stand", "ab"})


@dataclass(frozen=True)
class Recognised:
    """Source files with the roles of their columns. `documents` is the part of the schema document about them."""

    sources: dict[str, Source]
    documents: Sources
    findings: list[Finding]

    @property
    def customers(self) -> str:
        """The header of the customer's id, in the first of profile, subscriptions and events."""
        documents = (self.documents.profile, self.documents.subscriptions, self.documents.events)
        return next(document.id for document in documents if document is not None)


def recognise(tables: Mapping[str, TextTable], files: Mapping[str, str], chosen: Mapping[str, str]) -> Recognised:
    """The roles of the columns of source files.

    Args:
        tables: the first rows of each file, by "events", "subscriptions" and "profile".
        files: the name of each file, for the document.
        chosen: "events.at" → header, for roles that a person has named.

    Raises:
        UnreadableTable: a named column does not exist, a file has no column of the customers or of the days, or days in two formats.
    """
    sources = {name: Source.of(table) for name, table in tables.items()}
    named = {name: {role: header for role in roles if (header := chosen.get(f"{name}.{role}"))} for name, roles in ROLES.items()}
    for name, source in sources.items():
        _check_headers(source, named[name].values())
    ids = customers_of(sources, {name: named[name]["id"] for name in sources if "id" in named[name]})
    findings: list[Finding] = []
    documents: dict[str, Events | Subscriptions | Profile] = {}
    for name, source in sources.items():
        roles = {role: header for role, header in named[name].items() if role != "id"}
        match name:
            case "events":
                events = events_of(source, files[name], ids[name], roles)
                documents[name] = events.model_copy(update={"format": _form(source, [events.at], findings)})
            case "subscriptions":
                subscriptions = subscriptions_of(source, files[name], ids[name], roles)
                days = [subscriptions.start, *([subscriptions.end] if subscriptions.end else [])]
                documents[name] = subscriptions.model_copy(update={"format": _form(source, days, findings)})
            case _:
                at = roles.get("at") or _change_day(source, ids[name])
                documents[name] = Profile(file=files[name], id=ids[name], at=at, format=_form(source, [at], findings) if at else "")
    return Recognised(sources, Sources.model_validate(documents), findings)


def _check_headers(source: Source, headers: Iterable[str]) -> None:
    for header in headers:
        if header not in source.profiles:
            near = nearest(header, list(source.profiles))
            advice = f"did you mean {near}?" if near else f"the header has {some_of(list(source.profiles))}"
            raise UnreadableTable(source.table.source, [TableProblem(f"there is no column {header}; {advice}")])


def _form(source: Source, headers: list[str], findings: list[Finding]) -> str:
    """The format of the days in these columns. Adds questions about readings that the values leave open."""
    forms = {header: source.date_form(header) or "" for header in headers}
    if len(set(forms.values())) > 1:
        spelled = " and ".join(f"{header} like {_example(source, header)}" for header in headers)
        raise UnreadableTable(source.table.source, [TableProblem(f"writes its days in two formats: {spelled}; write both in one format")])
    form = forms[headers[0]]
    findings += _open_questions(source, headers, form)
    return form


def _open_questions(source: Source, headers: list[str], form: str) -> Iterator[Finding]:
    texts = [text for header in headers for text in source.values(header)]
    where = f"{some_of(headers)} of {source.table.source}"
    exchanged = other_reading(texts, form)
    if exchanged:
        text = (
            f"{where}: is {_example(source, headers[0])} a day and a month, or a month and a day? Every value can be read both ways. The "
            f'draft reads it as {form}; if that is wrong, write format: "{exchanged}"'
        )
        yield Finding("question", text, tuple(headers))
    with_time = [text for text in texts if ":" in text]
    with_zone = [text for text in with_time if text.endswith(("Z", "z")) or "+" in text[10:] or "-" in text[10:]]
    if with_time and not with_zone:
        text = (
            f"{where}: which time zone are the times of day in? The file does not say it, and they are read as UTC. If they are "
            "local times, add for example zone: Europe/Berlin to this source"
        )
        yield Finding("question", text, tuple(headers))


def _example(source: Source, header: str) -> str:
    return source.profiles[header].levels[0][0]


def _change_day(source: Source, customer: str) -> str | None:
    """The column with the day of a change, in a profile that has several rows of a customer."""
    if not (source.profiles[customer].counts > 1).any():
        return None
    dates = [header for header in source.profiles if header != customer and source.date_form(header) is not None]
    return next((header for header in dates if _CHANGED & set(words_of(header))), dates[0] if len(dates) == 1 else None)
