"""The rhythm of events, and the windows of days in which a number of them says something."""

from dataclasses import dataclass

LADDER = (7, 30, 90, 180, 365)


@dataclass(frozen=True)
class Rhythm:
    """The events of a kind.

    kind: the name of the kind; * stands for all events. gap: the median number of days between two days with such an event of a customer;
    None where no customer has two. amounts: events with an amount. days: days from the first to the last event.
    """

    kind: str
    events: int
    customers: int
    gap: float | None
    amounts: int
    days: int

    @property
    def windows(self) -> tuple[int, ...]:
        """A short and a long window, shortest first; a single one where the data is too short for the other.

        The short one holds two typical gaps, so that a regular customer has an event in it; the long one is three times as long or more.
        Neither is longer than half the data, so that there is a window before it to compare with.
        """
        longest = max(LADDER[0], self.days // 2)
        wanted = 2 * self.gap if self.gap is not None else LADDER[2]
        fitting = [days for days in LADDER if days <= longest]
        short = next((days for days in fitting if days >= wanted), fitting[-1])
        long = next((days for days in fitting if days >= 3 * short), None)
        return (short,) if long is None else (short, long)

    @property
    def per_customer(self) -> float:
        """Events of a customer with such an event, on average."""
        return self.events / max(1, self.customers)
