"""Which settings of the trees together suit most tables: how `engine.learning.known_settings` was learned.

`python -m bench.settings` fits every candidate to every table of `bench.settings_tables` that settings.json lacks, and writes the losses to
settings.json; with `--again` it fits all tables. Then it chooses the list from the losses, prints it as Python, and writes to
`bench/README.md` how far the best of the list is from the best of all candidates, each time on a table that the list was not chosen by.
`--choose` only chooses.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from bench.pages import between
from bench.settings_tables import tables
from retainstream.engine.learning.additive import LinearFit, constant_stage, started_from
from retainstream.engine.learning.dataset import DataSet
from retainstream.engine.learning.known_settings import KNOWN_SETTINGS, KnownSettings
from retainstream.engine.learning.metrics import row_log_losses
from retainstream.engine.learning.split import folds_apart
from retainstream.engine.learning.trees import fit_watched, margins, parameters, quantile_matrix
from retainstream.engine.model.calibration import sigmoid

FILE = Path(__file__).parent / "settings.json"
PAGE = Path(__file__).parent / "README.md"
FOLDS = 3
LISTED = 20
_ETA, _PATIENCE, _SEED = 0.1, 15, 0
_PENALTIES = (64.0, 8.0, 1.0)
_MOST_EXCESS = 0.05
"""The excess loss on one table counts up to this share of the lowest loss, so that no single table decides."""

OPENING = (
    KnownSettings(2, 4.0, 0.8, 0.8, 1.0, after_linear=True),
    KnownSettings(3, 4.0, 0.8, 0.8, 1.0),
    KnownSettings(1, 4.0, 0.8, 0.8, 1.0, after_linear=True),
    KnownSettings(2, 4.0, 0.8, 0.8, 1.0),
)
"""The first trials of a search with trees. The list adds to them."""

_DEPTHS = {  # how many of the drawn candidates have each depth
    False: {2: 4, 3: 7, 4: 7, 5: 6, 6: 4, 7: 3, 8: 2, 10: 1},
    True: {1: 2, 2: 5, 3: 7, 4: 6, 5: 4, 6: 3, 7: 2, 8: 1},
}

_DEEP, _SHARE_GROUPED = 6, 0.3
_DRAWS = 20
_LEAST_SIGNAL = 0.1
_WEIGHTS = np.array([4, 2, 1]) / 7
"""Of the best three settings of a list."""

type Floats = NDArray[np.float64]


class TableLosses(TypedDict):
    """A table's mean log losses: of each candidate on each fold, with the rounds. constant: the log loss of the churn rate alone."""

    rows: int
    features: int
    churned: int
    constant: float
    losses: list[list[float]]
    rounds: list[int]


def candidates() -> list[KnownSettings]:
    """The opening, then settings drawn in layers, so that each setting's whole range is covered evenly. Deep trees are drawn careful."""
    rng = np.random.default_rng(_SEED)
    kinds = [(linear, depth) for linear, depths in _DEPTHS.items() for depth, count in depths.items() for _ in range(count)]
    deep = np.array([depth >= _DEEP for _, depth in kinds])

    def spread(low: float | Floats, high: float | Floats) -> Floats:
        share: Floats = (rng.permutation(len(kinds)) + 0.5) / len(kinds)
        return low + share * (high - low)

    weights = np.exp(spread(np.log(0.05), np.log(30)))
    penalties = np.exp(spread(np.log(np.where(deep, 2.0, 0.1)), np.log(30)))
    subsamples, columns, grouped = spread(0.5, 1.0), spread(0.3, np.where(deep, 0.7, 1.0)), spread(0, 1) < _SHARE_GROUPED
    drawn = [
        KnownSettings(
            depth,
            _rounded(weights[place]),
            round(float(subsamples[place]), 2),
            round(float(columns[place]), 2),
            _rounded(penalties[place]),
            after_linear=linear,
            grouped=bool(grouped[place]),
        )
        for place, (linear, depth) in enumerate(kinds)
    ]
    return [*OPENING, *drawn]


def _rounded(value: float) -> float:
    return float(f"{value:.2g}")


def measure(data: DataSet, settings: Sequence[KnownSettings]) -> TableLosses:
    """The losses of these settings on a table, by inner folds and early stopping as in a search."""
    columns, rows, churned = data.schema.features, data.rows, data.churned
    fold_of = folds_apart(data.keys, rows, churned, FOLDS)
    folds = []
    for number in range(FOLDS):
        judged = fold_of == number
        learned_matrix = quantile_matrix(columns, rows[~judged], churned[~judged], threads=1)
        judged_matrix = quantile_matrix(columns, rows[judged], churned[judged], threads=1, like=learned_matrix)
        linear = LinearFit(columns, rows[~judged], churned[~judged])
        stages = [linear.stage(penalty) for penalty in _PENALTIES]
        after_linear = [(started_from(stage, rows[~judged]), started_from(stage, rows[judged])) for stage in stages]
        constant = constant_stage(churned[~judged]).intercept
        alone = np.full(int((~judged).sum()), constant), np.full(int(judged.sum()), constant)
        folds.append((learned_matrix, judged_matrix, churned[judged], alone, after_linear))
    of_stages = [
        [float(row_log_losses(left, sigmoid(starts[place][1])).mean()) for _, _, left, _, starts in folds]
        for place in range(len(_PENALTIES))
    ]
    best_stage = int(np.argmin([np.mean(losses) for losses in of_stages]))
    losses, rounds = [], []
    for each in settings:
        boosters = []
        for learned_matrix, judged_matrix, _, alone, after_linear in folds:
            start = after_linear[best_stage] if each.after_linear else alone
            learned_matrix.set_base_margin(start[0])
            judged_matrix.set_base_margin(start[1])
            fitted = parameters(columns, each.settings(_ETA, _PENALTIES[best_stage]), seed=_SEED, threads=1)
            boosters.append(fit_watched(fitted, learned_matrix, judged_matrix, patience=_PATIENCE))
        shortest = min(len(curve) for _, curve in boosters)
        best = int(np.argmin(np.mean([curve[:shortest] for _, curve in boosters], axis=0))) + 1
        of_folds = [
            float(row_log_losses(left, sigmoid(margins(booster, judged_matrix, best))).mean())
            for (booster, _), (_, judged_matrix, left, _, _) in zip(boosters, folds, strict=True)
        ]
        losses.append([round(loss, 5) for loss in of_folds])
        rounds.append(best)
    rate = float(churned.mean())
    return {
        "rows": len(data),
        "features": len(columns),
        "churned": int(churned.sum()),
        "constant": round(float(-rate * np.log(rate) - (1 - rate) * np.log(1 - rate)), 5),
        "losses": losses,
        "rounds": rounds,
    }


def smoothed(of_folds: Floats, settings: Sequence[KnownSettings]) -> Floats:
    """The mean loss of each candidate on each table (tables, candidates), without most of its chance. of_folds (tables, candidates, folds).

    The best of many candidates is partly the luckiest. Similar candidates have similar losses, so each loss is estimated from all of them
    by Gaussian process regression on the settings (Rasmussen & Williams 2006, eq. 2.25). The variance between folds gives the noise.
    """
    places = np.array([_place(each) for each in settings])
    likeness = np.exp(-((places[:, None] - places[None]) ** 2).sum(axis=2) / 2)
    losses = of_folds.mean(axis=2)
    apart = of_folds - of_folds.mean(axis=1, keepdims=True)
    apart -= apart.mean(axis=2, keepdims=True)
    folds = of_folds.shape[2]
    noises = (apart**2).sum(axis=2).mean(axis=1) / (folds - 1) / folds
    estimates = np.empty_like(losses)
    for table, (of_table, noise) in enumerate(zip(losses, noises, strict=True)):
        usual = np.minimum(of_table, np.median(of_table) * (1 + _MOST_EXCESS))
        signal = max(usual.var() - noise, _LEAST_SIGNAL * usual.var())
        weights = np.linalg.solve(signal * likeness + noise * np.eye(len(settings)), usual - usual.mean())
        estimates[table] = usual.mean() + signal * likeness @ weights
    return estimates


def _place(settings: KnownSettings) -> list[float]:
    """The settings as coordinates; settings of a distance of 1 are similar."""
    return [
        settings.depth / 6,
        np.log(settings.min_child_weight) / 3,
        settings.subsample / 0.4,
        settings.columns / 0.5,
        np.log(settings.penalty) / 3,
        float(settings.after_linear),
        settings.grouped / 3,
    ]


def chosen(losses: Floats, count: int, opening: int = len(OPENING)) -> list[int]:
    """The places of the listed candidates, the most useful first.

    losses (tables, candidates). Each step takes the candidate that lowers most the mean excess of the best three of the opening and the
    list, over the lowest loss of all candidates on the table. A search may blend three; the best of them counts most.
    """
    excess = np.minimum(losses / losses.min(axis=1, keepdims=True) - 1, _MOST_EXCESS)
    nothing = np.full((len(losses), len(_WEIGHTS)), _MOST_EXCESS)
    best, places = _lowest(np.hstack([excess[:, :opening], nothing])), list[int]()
    while len(places) < count:
        left = [place for place in range(opening, losses.shape[1]) if place not in places]
        after = [float((_lowest(np.column_stack([best, excess[:, place]])) @ _WEIGHTS).mean()) for place in left]
        places.append(left[int(np.argmin(after))])
        best = _lowest(np.column_stack([best, excess[:, places[-1]]]))
    return places


def _lowest(excess: Floats) -> Floats:
    lowest: Floats = np.sort(excess, axis=1)[:, : len(_WEIGHTS)]
    return lowest


class Reached(TypedDict):
    """What lists of a length reach on tables that they were not chosen by, in shares of a log loss.

    excess: of the best of the list over the best of all candidates: mean, ninth decile and largest. gain: of the list over the opening,
    where two folds choose from each and the third judges. random: the gain of as many candidates at random.
    """

    listed: int
    excess: float
    ninth_decile: float
    largest: float
    gain: float
    random: float


def reached(of_folds: Floats, settings: Sequence[KnownSettings], counts: Sequence[int] = (3, 5, 10, 15, LISTED)) -> list[Reached]:
    """What lists of these lengths reach, and all candidates. of_folds (tables, candidates, folds): the losses."""
    estimates, opening = smoothed(of_folds, settings), len(OPENING)
    rng, drawn = np.random.default_rng(_SEED), len(settings) - opening
    without = [chosen(np.delete(estimates, table, axis=0), max(counts)) for table in range(len(estimates))]
    figures = list[Reached]()
    for count in [*counts, drawn]:
        lists = [places[:count] for places in without] if count < drawn else [list(range(opening, len(settings)))] * len(without)
        excess = np.array([_excess(losses, places) for losses, places in zip(of_folds, lists, strict=True)])
        gains = [_gain(losses, places) for losses, places in zip(of_folds, lists, strict=True)]
        random = [_gain(losses, opening + rng.permutation(drawn)[:count]) for losses in of_folds for _ in range(_DRAWS)]
        figures.append(
            {
                "listed": count,
                "excess": float(excess.mean()),
                "ninth_decile": float(np.quantile(excess, 0.9)),
                "largest": float(excess.max()),
                "gain": float(np.mean(gains)),
                "random": float(np.mean(random)),
            }
        )
    return figures


def _excess(of_folds: Floats, listed: Sequence[int]) -> float:
    losses = of_folds.mean(axis=1)
    return float(losses[[*range(len(OPENING)), *listed]].min() / losses.min() - 1)


def _gain(of_folds: Floats, listed: Sequence[int] | NDArray[np.int64]) -> float:
    """The mean over the folds of what the list gains where the other folds choose. of_folds (candidates, folds)."""
    opening = list(range(len(OPENING)))
    both, gains = [*opening, *listed], []
    for fold in range(of_folds.shape[1]):
        choosing, judging = np.delete(of_folds, fold, axis=1).mean(axis=1), of_folds[:, fold]
        before, after = (judging[places[int(np.argmin(choosing[places]))]] for places in (opening, both))
        gains.append(1 - after / before)
    return float(np.mean(gains))


def markdown(measured: Mapping[str, TableLosses]) -> str:
    """What the lists reach, as a Markdown table."""
    lines = [
        "| settings after the opening | excess over the best of all | ninth decile | largest | gain over the opening | as many at random |",
        "|---:|---:|---:|---:|---:|---:|",
    ]
    for each in reached(losses_of(measured), candidates()):
        shares = (each["excess"], each["ninth_decile"], each["largest"], each["gain"], each["random"])
        lines.append(f"| {each['listed']} | " + " | ".join(f"{100 * share:.2f}%" for share in shares) + " |")
    rows = sum(table["rows"] for table in measured.values())
    return "\n".join([*lines, "", f"{len(measured)} tables with {rows:,} rows in total."])


def losses_of(measured: Mapping[str, TableLosses]) -> Floats:
    """The losses (tables, candidates, folds), by the name of the table."""
    return np.array([measured[name]["losses"] for name in sorted(measured)])


def learned(measured: Mapping[str, TableLosses]) -> tuple[KnownSettings, ...]:
    """The list that the losses choose."""
    settings = candidates()
    return tuple(settings[place] for place in chosen(smoothed(losses_of(measured), settings), LISTED))


def python(listed: Sequence[KnownSettings]) -> str:
    """The list as it stands in known_settings.py."""
    lines = []
    for each in listed:
        named = "".join(f", {name}=True" for name in ("after_linear", "grouped") if getattr(each, name))
        numbers = (each.min_child_weight, each.subsample, each.columns, each.penalty)
        lines.append(f"    KnownSettings({each.depth}, {', '.join(map(str, numbers))}{named}),")
    return "\n".join(["KNOWN_SETTINGS = (", *lines, ")"])


def read() -> dict[str, TableLosses]:
    """The measured tables by name.

    Raises:
        ValueError: the file was measured with other candidates.
    """
    if not FILE.exists():
        return {}
    document = json.loads(FILE.read_text())
    if document["candidates"] != [asdict(each) for each in candidates()]:
        raise ValueError(f"{FILE.name} has other candidates: measure --again")
    measured: dict[str, TableLosses] = document["tables"]
    return measured


def write(measured: Mapping[str, TableLosses]) -> None:
    """Writes settings.json, one candidate and one table a line."""
    of_candidates = ",\n".join(f"  {json.dumps(asdict(each))}" for each in candidates())
    of_tables = ",\n".join(f"  {json.dumps(name)}: {json.dumps(measured[name])}" for name in sorted(measured))
    FILE.write_text(f'{{\n "candidates": [\n{of_candidates}\n ],\n "tables": {{\n{of_tables}\n }}\n}}\n')


def main(arguments: Sequence[str] | None = None) -> int:
    """`python -m bench.settings`; 1 when known_settings.py has another list than the one that the losses choose."""
    parser = argparse.ArgumentParser(prog="python -m bench.settings")
    parser.add_argument("--again", action="store_true", help="measure every table, also those of settings.json")
    parser.add_argument("--choose", action="store_true", help="measure nothing")
    options = parser.parse_args(arguments)
    settings, measured = candidates(), {} if options.again else read()
    if not options.choose:
        absent = [(name, table) for name, table in tables() if name not in measured]
        for place in np.random.default_rng(_SEED).permutation(len(absent)):  # at random, so that a part of them is of every kind
            name, table = absent[place]
            measured[name] = measure(table(), settings)
            write(measured)
            print(f"{name}: {np.mean(measured[name]['losses'], axis=1).min():.5f}", flush=True)
    listed = learned(measured)
    print(python(listed))
    PAGE.write_text(between(PAGE.read_text(), "settings", markdown(measured)))
    return 0 if listed == KNOWN_SETTINGS else 1


if __name__ == "__main__":
    raise SystemExit(main())
