"""A customer's lives, changed by facts that arrive in any order.

A fact is a day on which the person was seen as a customer (features of that day, or an outcome "stayed"), or a statement that the person
had left. Facts are sorted by the day that they describe, not by the day on which they arrive: a day as a customer after a leaving begins
a new life, and a day before it narrows the range in which leaving can have happened. Of statements on the same days the newest counts.

Of the days between the first and the last sight in a life nothing is stored. A leaving that turns out to lie between them therefore ends
the earlier life after its first day and begins the later one on its last.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from retainstream.engine.lives.life import LONG_BEFORE, day_number, iso_day
from retainstream.engine.records import Life

type Lives = tuple[Life, ...]
"""All lives of a customer, oldest first; the last one is the present life."""


@dataclass
class _Spell:
    """A life at work. `first` and `last` are days as a customer; from `left` (exact or the end of a range) to `gone` no customer."""

    began: str | None = None
    first: str | None = None
    last: str | None = None
    stayed: str | None = None
    left: str | None = None
    exact: bool = False
    gone: str = ""

    @property
    def start(self) -> str:
        return min(day for day in (self.began, self.first, self.left) if day is not None)

    def see(self, day: str) -> None:
        self.first = min(self.first or day, day)
        self.last = max(self.last or day, day)

    def repair(self) -> None:
        self.left, self.exact, self.gone = None, False, ""


def seen(lives: Lives, day: str, *, stayed: bool = False, latest_word: bool = False) -> Lives:
    """The lives after a day on which the person was a customer: by features of that day, or by an outcome (`stayed`).

    On the day of leaving itself features say nothing new, and an outcome "stayed" withdraws the leaving. An older statement does not count
    against a leaving that was stated as of a later day, unless it is the `latest_word` of a person or program: then a day after the
    leaving begins a new life, and an outcome "stayed" of the day of leaving or before withdraws it.
    """
    spells = _spells(lives)
    if latest_word and spells and (end := spells[-1].left):
        if day > end:
            spells[-1].gone = end
        elif stayed:
            spells[-1].repair()
    place = next((place for place, spell in enumerate(spells) if spell.left is None or day <= spell.gone), len(spells))
    if place == len(spells):
        spells.append(_Spell())
    spell = spells[place]
    if spell.left is not None and day >= spell.left:
        place = _against_a_leaving(spells, place, day, stayed=stayed)
        if place < 0:
            return _lives(spells)
        spell = spells[place]
    spell.see(day)
    if stayed:
        spell.stayed = max(spell.stayed or day, day)
    return _lives(spells)


def _against_a_leaving(spells: list[_Spell], place: int, day: str, *, stayed: bool) -> int:
    """The place of the spell that a sight from the day of leaving on belongs to; -1 where the leaving stands."""
    spell = spells[place]
    left = spell.left or ""
    if left < day < spell.gone:
        if spell.exact:
            return -1
        spells.insert(place + 1, _Spell(left=spell.gone, gone=spell.gone))
        spell.gone = left
        return place + 1
    if not stayed:
        return place if day == left and not spell.exact else -1
    if day == left == spell.gone:
        spell.repair()
        return _join(spells, place)
    if day == left:
        spell.left, spell.exact = spell.gone, False
        return place
    spell.gone = left
    if place + 1 == len(spells):
        spells.append(_Spell())
    return place + 1


def _join(spells: list[_Spell], place: int) -> int:
    """Makes one life of a life whose leaving was withdrawn and the one after it."""
    if place + 1 < len(spells):
        spell, after = spells[place], spells.pop(place + 1)
        spells[place] = replace(
            after,
            began=spell.began or after.began,
            first=spell.first or after.first,
            last=after.last or spell.last,
            stayed=after.stayed or spell.stayed,
        )
    return place


def left(lives: Lives, day: str, known_on: str, *, exact: bool = False, after: str | None = None) -> Lives:
    """The lives after a statement, as of `known_on`, that the person had left: on `day` exactly, or in the range (`after`, `day`].

    Without `exact` and `after` the range begins on the last day on which the person was seen. With one of them, or where `known_on` is
    later than `day`, the statement covers all days from `day` to `known_on`: sights on these days do not count any more.
    """
    spells = _spells(lives)
    dated = exact or after is not None
    place = max((place for place, spell in enumerate(spells) if spell.start <= (after or day)), default=-1)
    if place < 0 and not dated and spells and spells[0].first is None and not spells[0].exact:
        place = 0
    elif place < 0 or (dated and spells[place].left is not None and spells[place].gone < (after or day)):
        place += 1
        spells.insert(place, _Spell())
    if dated or day < known_on:
        _cover(spells, place, day, known_on, exact=exact, after=after)
    else:
        _mark(spells, place, day)
    return _lives(spells)


def _mark(spells: list[_Spell], place: int, day: str) -> None:
    """A day on which the person is known to be gone, and nothing else."""
    spell = spells[place]
    if spell.last is not None and day < spell.last:
        later = _from(spell, day)
        kept = spell.first if spell.first is not None and spell.first <= day else None
        stayed = spell.stayed if spell.stayed is not None and kept is not None and spell.stayed <= kept else None
        spells[place : place + 1] = [_Spell(spell.began, kept, kept, stayed, left=day, gone=day), later]
    elif spell.left is None:
        spell.left = spell.gone = day
    elif day >= spell.left:
        spell.gone = max(spell.gone, day)
    elif not spell.exact:
        spell.left = day


def _cover(spells: list[_Spell], place: int, day: str, known_on: str, *, exact: bool, after: str | None) -> None:
    """A statement on all days from the leaving to the day on which it was known."""
    spell = spells[place]
    later = []
    if (spell.last or "") > known_on or (spell.exact and (spell.left or "") > known_on):
        later.append(_from(spell, known_on))
        spell.repair()
    elif spell.left is not None and known_on < spell.gone and (spell.exact or day > spell.left):
        return
    gone = max(spell.gone, known_on)
    for other in spells[place + 1 :]:
        if other.start > known_on:
            later.append(other)
        elif (other.last or "") > known_on:
            later.append(_from(other, known_on))
        else:
            gone = max(gone, other.gone)
    spell.left, spell.exact, spell.gone = day, exact, gone
    if after is not None:
        spell.first, spell.last = min(spell.first or after, after), after
    elif spell.last is not None:
        spell.first, spell.last = min(spell.first or day, day), min(spell.last, day)
    if spell.stayed is not None and spell.stayed > (spell.last or ""):
        spell.stayed = None
    spells[place + 1 :] = later


def _from(spell: _Spell, day: str) -> _Spell:
    """The part of a spell after a day: of its sights the last one, if it is later."""
    last = spell.last if spell.last is not None and spell.last > day else None
    stayed = spell.stayed if spell.stayed is not None and spell.stayed > day else None
    return replace(spell, began=None, first=last, last=last, stayed=stayed)


def began(lives: Lives, day: str, of: str) -> Lives:
    """The lives after a statement that the life around the day `of` began on `day`. The earliest such day counts, and a day on which an
    earlier life had not ended does not."""
    spells = _spells(lives)
    place = max((place for place, spell in enumerate(spells) if spell.start <= of), default=0)
    spell = spells[place]
    spell.began = min(spell.began or day, day)
    return _lives(spells)


def _spells(lives: Sequence[Life]) -> list[_Spell]:
    return [
        _Spell(
            life.get("began_on"),
            life.get("first_seen_on"),
            life.get("observed_until"),
            life.get("stayed_on"),
            life.get("left_on"),
            "left_on" in life and "left_after" not in life,
            life.get("gone_until", life.get("left_on", "")),
        )
        for life in lives
        if life
    ]


def _lives(spells: Sequence[_Spell]) -> Lives:
    """The lives of the spells, with the days that follow from others."""
    for place, spell in enumerate(spells[1:], start=1):
        before = spells[place - 1]
        if spell.began is not None and spell.began <= before.gone:
            if before.began is None or spell.began < before.began:
                before.began = spell.began
            spell.began = None
    return tuple(_life(spell) for spell in spells)


def _life(spell: _Spell) -> Life:
    if spell.left is not None and spell.began is not None and spell.began > spell.left:
        spell.began = None
    life: Life = {}
    if spell.began is not None:
        life["began_on"] = spell.began
    if spell.first is not None and spell.last is not None:
        life["first_seen_on"], life["observed_until"] = spell.first, spell.last
    if spell.stayed is not None:
        life["stayed_on"] = spell.stayed
    if spell.left is not None:
        life["left_on"] = spell.left
        if not spell.exact:
            known = max(spell.began or LONG_BEFORE, spell.last or LONG_BEFORE)
            life["left_after"] = min(known, iso_day(day_number(spell.left) - 1))
        if spell.gone > spell.left:
            life["gone_until"] = spell.gone
    return life
