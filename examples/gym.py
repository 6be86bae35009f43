"""Generates the files of gym/: synthetic members of a gym with dated visits, payments and subscriptions, for `retainstream features build`.

    .venv/bin/python examples/gym.py examples/gym

No row is about a real person, and the same seed gives the same files. A member whose visits become fewer leaves more often. A few rows are
wrong on purpose, as in real files: an event twice, one without a member, one of the year 2062, a subscription that ends before it starts.
"""

import argparse
import csv
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

MEMBERS = 160
FIRST, LAST = datetime(2025, 1, 1, tzinfo=UTC), datetime(2026, 3, 31, tzinfo=UTC)
PRICES = {"day": 29.0, "all": 45.0}

type Row = list[str]


def member(number: int, seed: int) -> tuple[Row, list[Row], list[Row]]:
    """A member's profile, subscriptions and events."""
    chance = random.Random(f"{seed}-{number}")  # noqa: S311
    identity = f"m{number:03d}"
    plan = chance.choice(sorted(PRICES))
    began = FIRST + timedelta(days=chance.randrange(-500, 360))
    habit = chance.uniform(0.5, 4.0)
    day, ended, mood = max(began, FIRST), None, 1.0
    events: list[Row] = []
    while day <= LAST and ended is None:
        if chance.random() < habit * mood / 7:
            events.append([identity, _moment(day, chance), "visit", ""])
        if chance.random() < 0.01:
            events.append([identity, _moment(day, chance), "class", ""])
        if day.day == began.day % 28 + 1:
            failed = chance.random() < 0.06
            events.append([identity, _moment(day, chance), "failed_payment" if failed else "payment", f"{PRICES[plan]:.2f}"])
            mood = min(1.3, max(0.1, mood * chance.uniform(0.72, 1.25)))
        if (day - began).days > 30 and chance.random() < 0.0035 / (0.25 + habit * mood) ** 1.4:
            ended = day
        day += timedelta(days=1)
    subscription = [identity, f"{began:%Y-%m-%d}", f"{ended:%Y-%m-%d}" if ended else "", f"{PRICES[plan]:.2f}", plan]
    subscriptions = [subscription]
    if ended and chance.random() < 0.1 and (again := ended + timedelta(days=chance.randrange(2, 60))) <= LAST:
        subscriptions.append([identity, f"{again:%Y-%m-%d}", "", f"{PRICES[plan]:.2f}", plan])
    return [identity, str(chance.randrange(1955, 2008)), chance.choice(("Bergen", "Oslo", "Tromsø"))], subscriptions, events


def _moment(day: datetime, chance: random.Random) -> str:
    return (day + timedelta(minutes=chance.randrange(6 * 60, 22 * 60))).isoformat(timespec="minutes").replace("+00:00", "Z")


def main() -> None:
    """Write the three files into a folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=13)
    arguments = parser.parse_args()
    profiles, subscriptions, events = [], [], []
    for number in range(MEMBERS):
        profile, subscribed, own = member(number, arguments.seed)
        profiles.append(profile)
        subscriptions += subscribed
        events += own
    events.sort(key=lambda row: row[1])
    events += [events[100], ["", "2025-06-01T10:00Z", "visit", ""], ["m007", "2062-01-01T10:00Z", "visit", ""]]
    subscriptions.append(["m160", "2025-09-01", "2025-08-01", "29.00", "day"])
    for name, header, rows in (
        ("profile.csv", ["member", "born", "city"], profiles),
        ("subscriptions.csv", ["member", "started_on", "ended_on", "monthly_fee", "plan"], subscriptions),
        ("events.csv", ["member", "happened_at", "event", "amount"], events),
    ):
        with (arguments.folder / name).open("w", newline="") as stream:
            csv.writer(stream, lineterminator="\n").writerows([header, *rows])


if __name__ == "__main__":
    main()
