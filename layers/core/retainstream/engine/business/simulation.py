"""The process that makes the business.

Time goes in steps, from one anchor to the next. In a step each customer logs in, watches and pays on single days. Hidden variables govern
this: engagement, which changes from month to month; idle months; and how unreliable the payment method is. People view more in winter.
Newcomers arrive in each step, and some people who left come back and begin another life.

At each anchor the customer's observed features give the probability p of leaving within 30 days (`truth.probability_within_horizon`).
The hazard of each day is then h = 1 - (1 - p)^(1/30), from the day after the anchor until the next anchor, and for at least 30 days.
Where two anchors are only g < 30 days apart, the first hazard h' is still in force for 30 - g days after the second. So the truth at an
anchor is known exactly: 1 - (1 - h')^(30 - g) (1 - h)^g there, and p elsewhere. Newcomers have paid for their first days: nobody leaves
before the first anchor of a life.
"""

from dataclasses import dataclass, replace
from datetime import date

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from retainstream.engine.business.business import NEVER, Business, Doings, Lives, Mask, People
from retainstream.engine.business.calendar import Days, monthly, season
from retainstream.engine.business.generated_rows import PLAN_SHARE
from retainstream.engine.business.truth import HORIZON, USUAL_PRICE, Floats, probability_within_horizon
from retainstream.engine.schema import default_schema

LEAD_MONTHS = 3
"""Months before the first anchor, so that the windows of its features are full."""
_NEW_SHARE, _COMEBACK_SHARE = 0.042, 0.015
_RISE, _MONTHS_SINCE_RISE = 0.05, 5
_DAYS_OF_MONTH = 30.4375
_DUE_EVERY = 30
_MOST_MONTHS, _MOST_PAUSED_MONTHS = 180, 60
_VIEWING_SEASON = 0.1
_MOST_DEVICES = 12


def simulate(customers: int, months: int, until: date, seed: int) -> Business:
    """A business with about so many customers at each of `months` monthly anchors, the last of them `until`.

    Equal arguments give an equal business. Its days begin LEAD_MONTHS months before the first anchor. Leavers after `until` are not part
    of it.

    Raises:
        ValueError: months is below 1, or customers below 0.
    """
    if months < 1 or customers < 0:
        raise ValueError(f"A business needs at least one month and no negative number of customers: {months}, {customers}")
    steps = monthly(until, months + LEAD_MONTHS + 1)
    random = np.random.default_rng([seed, customers, months])
    newcomers = random.poisson(customers * _NEW_SHARE * (1 + 0.2 * season(steps[1:])))
    return _Simulation(customers, newcomers, steps, months, seed, random).run()


@dataclass
class _Hidden:
    """What no feature shows: arrays (p,). usual: the person's own level of engagement. owned: the number of devices."""

    usual: Floats
    engagement: Floats
    idle: Mask
    unreliable: Floats
    owned: NDArray[np.int64]


class _Simulation:
    def __init__(self, customers: int, newcomers: NDArray[np.int64], steps: Days, months: int, seed: int, random: Generator) -> None:
        self._random, self._steps, self._months = random, steps, months
        first_day = int(steps[0]) + 1
        arrived = np.repeat(np.arange(len(newcomers) + 1), np.r_[customers, newcomers])  # 0: before the span; k: in step k
        count, is_new = len(arrived), arrived > 0
        plan = random.choice(3, size=count, p=PLAN_SHARE)
        settled = random.normal(0.0, 1.0, count)
        age = np.floor(np.minimum(random.exponential(np.exp(2.6 + 0.45 * settled)), _MOST_MONTHS) * _DAYS_OF_MONTH)
        pause = np.floor(np.minimum(1 + random.exponential(9.0, count), _MOST_PAUSED_MONTHS) * _DAYS_OF_MONTH)
        paused = np.where(random.random(count) < 0.22, pause, 0.0)
        step = np.maximum(arrived, 1)
        of_step = steps[step - 1] + 1 + np.floor(random.random(count) * (steps[step] - steps[step - 1]))
        began = np.where(is_new, of_step, first_day - 1 - age).astype(np.int32)
        usual = random.normal(0.15 * (plan - 1), 0.75)
        logged_in = first_day - 1 - np.floor(random.exponential(np.exp(1.45 - 0.75 * usual)))
        self._hidden = _Hidden(
            usual=usual,
            engagement=usual + random.normal(0.0, 0.66, count),
            idle=~is_new & (random.random(count) < 0.05),
            unreliable=random.gamma(0.7, 1.0, count),
            owned=np.clip(random.poisson(np.exp(-0.05 + 0.28 * plan + 0.2 * usual)) + 1, 1, _MOST_DEVICES),
        )
        people = People(
            plan=plan.astype(np.int8),
            joined=np.where(is_new, began, began - paused).astype(np.int32),
            logged_in=np.where(is_new, began, logged_in).astype(np.int32),
            silent=random.random(count) < 0.02,
        )
        of_old = np.exp(-0.06 * (first_day - began > 36 * _DAYS_OF_MONTH))
        lives = Lives(np.arange(count), began, np.full(count, NEVER, dtype=np.int32), self._new_prices(people.plan) * of_old)
        days = int(steps[-1]) - first_day + 1
        self._hazard = np.zeros(count)  # of each life since the last anchor; 0 before its first
        self._business = Business(
            seed=seed,
            first_day=first_day,
            anchors=steps[-months:],
            rise_day=int(steps[max(1, len(steps) - 1 - _MONTHS_SINCE_RISE)]) + 1,
            rise=_RISE,
            people=people,
            lives=lives,
            doings=Doings(
                hours=np.zeros((count, days), dtype=np.float32),
                login=np.zeros((count, days), dtype=bool),
                devices=np.zeros((count, days), dtype=np.uint16),
                failures=np.zeros((count, days), dtype=np.uint8),
                due=np.zeros((count, days), dtype=bool),
            ),
        )

    def run(self) -> Business:
        truths = {}
        for before, anchor, after in zip(self._steps[:-1], self._steps[1:], [*self._steps[2:], self._steps[-1] + HORIZON], strict=True):
            self._begin_again(int(before), int(anchor))
            self._act(np.arange(before + 1, anchor + 1, dtype=np.int32))
            truth = self._decide(int(before), int(anchor), int(after))
            if anchor in self._business.anchors:
                truths[int(anchor)] = truth
        lives = self._business.lives
        lives.left[lives.left > self._steps[-1]] = NEVER
        return replace(self._business, truths=truths)

    def _begin_again(self, before: int, anchor: int) -> None:
        """Some people who had left by the beginning of the step come back on one of its days, at the price of today."""
        lives, random = self._business.lives, self._random
        newest = np.zeros(len(self._business.people), dtype=np.intp)
        np.maximum.at(newest, lives.person, np.arange(len(lives)))
        gone = newest[lives.left[newest] <= before]
        back = gone[random.random(len(gone)) < _COMEBACK_SHARE]
        person = lives.person[back]
        began = (before + 1 + np.floor(random.random(len(back)) * (anchor - before))).astype(np.int32)
        hidden = self._hidden
        hidden.engagement[person] = hidden.usual[person] + random.normal(0.3, 0.66, len(back))
        hidden.idle[person] = False
        self._hazard = np.concatenate([self._hazard, np.zeros(len(back))])
        self._business = replace(
            self._business,
            lives=Lives(
                np.concatenate([lives.person, person]),
                np.concatenate([lives.began, began]),
                np.concatenate([lives.left, np.full(len(back), NEVER, dtype=np.int32)]),
                np.concatenate([lives.price, self._new_prices(self._business.people.plan[person])]),
            ),
        )

    def _act(self, days: Days) -> None:
        """What the customers do on the days of a step."""
        lives, random, hidden, doings = self._business.lives, self._random, self._hidden, self._business.doings
        present = np.flatnonzero((lives.began <= days[-1]) & (lives.left > days[0]))
        who, began = lives.person[present], lives.began[present, None]
        hidden.engagement[who] = (
            hidden.usual[who] + 0.8 * (hidden.engagement[who] - hidden.usual[who]) + random.normal(0.0, 0.66 * 0.6, len(who))
        )
        chance = np.where(hidden.idle[who], 0.6, 0.04 / (1 + np.exp(1.3 * hidden.engagement[who])))
        hidden.idle[who] = random.random(len(who)) < chance
        engagement, idle = hidden.engagement[who], hidden.idle[who]

        here = (began <= days) & (days < lives.left[present, None])
        viewing = 1 + _VIEWING_SEASON * season(days)
        rate = np.exp(0.75 * engagement - 1.45 - 1.6 * idle)
        login = here & ((random.random(here.shape) < 1 - np.exp(-rate[:, None] * viewing)) | (days == began))
        a_month = np.exp(3.05 + 0.75 * engagement + random.normal(0.0, 0.45, len(who)))
        a_day = np.minimum(a_month / np.maximum(30 * (1 - np.exp(-rate)), 1), 14)
        hours = np.round(a_day[:, None] * viewing * random.gamma(2.0, 0.5, here.shape), 1).clip(0, 20)
        hours[~login | idle[:, None] | self._business.people.silent[who, None]] = 0
        device = np.floor(hidden.owned[who, None] * random.random(here.shape) ** 1.6).astype(np.uint16)
        due = here & ((days - began) % _DUE_EVERY == 0)
        trouble = np.where(random.random(len(who)) < 0.03, 6.0, 1.0)
        failing = 0.127 * hidden.unreliable[who] * (1.25 - 0.2 * self._business.people.plan[who]) * trouble
        failures = np.minimum(random.poisson(failing[:, None], here.shape), 4)

        at = np.ix_(who, days - self._business.first_day)
        doings.login[at] |= login
        doings.hours[at] += hours.astype(np.float32)
        doings.devices[at] |= np.where(hours > 0, np.uint16(1) << device, np.uint16(0))
        doings.due[at] |= due
        doings.failures[at] += np.where(due, failures, 0).astype(np.uint8)

    def _decide(self, before: int, anchor: int, after: int) -> Floats:
        """Draws the days on which the customers of an anchor leave, and returns the probabilities that it is within the horizon."""
        snapshot = self._business.snapshot(anchor)
        lives, present = self._business.lives, snapshot.lives
        anchors = np.full(len(present), anchor, dtype=np.int32)
        chance = probability_within_horizon(default_schema(), snapshot.rows(), anchors)
        hazard, still = 1 - (1 - chance) ** (1 / HORIZON), max(0, HORIZON - (anchor - before))
        earlier, self._hazard = self._hazard[present], np.zeros(len(lives))
        self._hazard[present] = hazard
        truth: Floats = 1 - (1 - earlier) ** still * (1 - hazard) ** (HORIZON - still)
        day = anchor + still + np.ceil(np.log1p(-self._random.random(len(present))) / np.log1p(-hazard))
        leaves = (day <= max(after, anchor + HORIZON)) & (lives.left[present] == NEVER)
        lives.left[present[leaves]] = day[leaves]
        return truth

    def _new_prices(self, plan: NDArray[np.int8]) -> Floats:
        return USUAL_PRICE[plan] * np.exp(self._random.normal(0.0, 0.09, len(plan)))
