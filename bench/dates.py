"""What dates add to a model: `python -m bench.dates [FILE LABEL VALUE]`.

On made customers with the dates of their contracts, whose true churn probability is known, or on a file: the same folds with the dates that
a draft makes features, and without. Made customers are described on the first days of several months (`anchor`), or all on one day that the
table does not name.
"""

import argparse
import csv
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from cli.reading import read_customers, read_text_table
from retainstream.engine.drafting.drafting import draft
from retainstream.engine.learning import metrics
from retainstream.engine.learning.cross_validation import stratified_folds, training_path
from retainstream.engine.learning.dataset import DataSet
from retainstream.engine.learning.labelled import labelled
from retainstream.engine.schema import Column, FeatureSchema

ANCHORS = np.array(["2025-07-01", "2025-09-01", "2025-11-01", "2026-01-01", "2026-03-01", "2026-05-01"], dtype="datetime64[D]")
LABEL, LEFT = "left", "yes"


@dataclass(frozen=True)
class Figures:
    """The means over the folds that were judged."""

    roc_auc: float
    log_loss: float
    ece: float


def make(path: Path, rows: int, *, with_days: bool, seed: int = 0) -> NDArray[np.float64]:
    """Writes made customers, and returns their true churn probabilities (rows,).

    Contracts of 12 or 24 months renew themselves. Customers leave in the weeks before the end of a term, and in the first year more than
    later.
    """
    rng = np.random.default_rng([seed, rows])
    anchors = rng.choice(ANCHORS, rows) if with_days else np.full(rows, ANCHORS[-1])
    began = 30 + rng.gamma(1.6, 420, rows).astype(int)
    term = rng.choice([365, 730], rows, p=[0.7, 0.3])
    to_end = (term - began % term) % term
    fee, calls, auto = rng.choice([9.99, 19.99, 29.99], rows), rng.poisson(1.2, rows), rng.random(rows) < 0.6
    margin = -3.4 + 2.2 * np.exp(-to_end / 40) + 0.9 * np.exp(-began / 250) + 0.35 * calls + 0.02 * fee - 0.6 * auto
    truth: NDArray[np.float64] = 1 / (1 + np.exp(-margin))
    left = rng.random(rows) < truth
    since, ends = (anchors - began).astype(str), (anchors + to_end).astype(str)
    blank = rng.random(rows) < 0.05
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(
            ["customer_id", *(["anchor"] if with_days else []), "fee", "calls", "auto_pay", "contract_since", "term_end", LABEL]
        )
        for place in range(rows):
            day = [str(anchors[place])] if with_days else []
            dates = ["" if blank[place] else since[place], ends[place]]
            values = [fee[place], calls[place], "yes" if auto[place] else "no", *dates, LEFT if left[place] else "no"]
            writer.writerow([f"c{place}", *day, *values])
    return truth


def data_of(file: Path, label: str, left: str, planned: Sequence[str] = ()) -> tuple[DataSet, list[str]]:
    """The rows of a file by its draft, in which `planned` dates count as known beforehand, and the dates that the draft leaves out."""
    schema = draft(read_text_table(file, None), label, positive=left, name="table").schema
    refused = [column.name for column in schema.columns if column.kind == "date" and not column.feature]
    columns = tuple(column.model_copy(update={"feature": True}) if column.name in planned else column for column in schema.columns)
    return labelled(read_customers(file, _with(schema, columns), None)), refused


def _with(schema: FeatureSchema, columns: tuple[Column, ...]) -> FeatureSchema:
    return FeatureSchema.model_validate(
        {**schema.model_dump(by_alias=True), "columns": [column.model_dump(by_alias=True) for column in columns]}
    )


def without_dates(data: DataSet) -> DataSet:
    """The same rows, of which the model reads no date."""
    kept = [column.kind != "date" for column in data.schema.features]
    columns = tuple(column.model_copy(update={"feature": column.feature and column.kind != "date"}) for column in data.schema.columns)
    return replace(data, schema=_with(data.schema, columns), rows=data.rows[:, kept])


def judged(data: DataSet, *, folds: int, judge: int, seconds: float) -> Figures:
    """The product's own path on the first `judge` of the folds."""
    fold_of = stratified_folds(data.churned, folds, 0, data.keys)
    each = []
    for number in range(judge):
        here = fold_of == number
        probabilities, _ = training_path(seconds)(data.where(~here), data.where(here))
        churned = data.churned[here]
        each.append(
            (metrics.roc_auc(churned, probabilities), metrics.log_loss(churned, probabilities), metrics.ece(churned, probabilities))
        )
    return Figures(*np.mean(each, axis=0).tolist())


def compare(title: str, data: DataSet, asked: argparse.Namespace) -> None:
    """Prints the figures of the first rows, with and without dates."""
    data = data.where(np.arange(min(len(data), asked.rows)))
    for name, rows in (("without dates", without_dates(data)), ("with dates", data)):
        figures = judged(rows, folds=5, judge=asked.folds, seconds=asked.seconds)
        print(f"{title}, {name}: AUC {figures.roc_auc:.4f}, log loss {figures.log_loss:.4f}, ECE {figures.ece:.4f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("given", nargs="*", metavar="FILE LABEL VALUE", help="a file, its outcome, and the value of those who left")
    parser.add_argument("--rows", type=int, default=4_000)
    parser.add_argument("--folds", type=int, default=2, help="of five, how many are judged")
    parser.add_argument("--seconds", type=float, default=40.0)
    asked = parser.parse_args()
    if asked.given:
        file, label, left = asked.given
        data, refused = data_of(Path(file), label, left)
        print(f"{Path(file).stem}: dates that the draft leaves out: {', '.join(refused) or 'none'}")
        compare(Path(file).stem, data, asked)
        return
    for title, with_days in (("made, one day", False), ("made, six anchors", True)):
        with TemporaryDirectory() as folder:
            truth = make(Path(folder) / "made.csv", asked.rows, with_days=with_days)
            data, refused = data_of(Path(folder) / "made.csv", LABEL, LEFT, planned=("term_end",))
        print(f"{title}: AUC of the truth {metrics.roc_auc(data.churned, truth):.4f}; left out: {', '.join(refused) or 'none'}")
        compare(title, data, asked)


if __name__ == "__main__":
    main()
