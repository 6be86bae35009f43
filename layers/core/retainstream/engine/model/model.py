"""A trained model, ready to score."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import xgboost
from numpy.typing import NDArray

from retainstream.engine.model.calibration import Bounded, Calibration, Floats, calibration_from
from retainstream.engine.model.contributions import Contributions
from retainstream.engine.model.encoding import Rows, feature_names, feature_types
from retainstream.engine.model.inputs import Inputs
from retainstream.engine.model.intervals import Intervals
from retainstream.engine.model.levels import LevelBounds, bounds_of_threshold
from retainstream.engine.schema import Column, FeatureSchema


class UnusableModel(ValueError):
    """The stored model cannot be read or does not match its schema."""


@dataclass(frozen=True)
class Explained:
    """Scores of n customers with the contribution of each column.

    The raw score, in log-odds, is exactly `base_margin` plus the row's contributions; the probability is the calibrated raw score.
    `base_margin` is the mean raw score of the rows that the model was fitted to (`engine.learning.row_counts`).
    `slope` turns contributions into probability: contributions × slope add up to probability − base_probability. This is the
    Aumann–Shapley attribution along the straight line from the base to the customer, on which every column moves the score at a constant
    rate, so that the rise of the calibration curve is split in proportion to the contributions.
    """

    probability: Floats
    margin: Floats
    contributions: Floats
    slope: Floats
    base_margin: float
    base_probability: float


@dataclass(frozen=True)
class ScoringModel:
    """A booster with the schema it was trained for, its calibration and the bounds of its risk levels.

    `inputs` are the schema's features and what is derived from them; the rows that its methods take are (n, features). `contributions`
    explains scores by input. `average_probability` is its mean probability over the rows that it was fitted to; None for a model
    of an earlier version of RetainStream. `chosen_at` is the moment (ISO 8601, UTC) at which it was last seen to be the model in service;
    empty for a model that was loaded by its version.
    """

    version: str
    schema: FeatureSchema
    inputs: Inputs = field(compare=False, repr=False)
    booster: xgboost.Booster
    calibration: Calibration
    levels: LevelBounds
    contributions: Contributions = field(compare=False, repr=False)
    average_probability: float | None = None
    chosen_at: str = ""

    @classmethod
    def from_bytes(
        cls,
        booster: bytes,
        calibration: Mapping[str, object],
        schema: FeatureSchema,
        *,
        threshold: float,
        version: str,
        average_probability: float | None = None,
        levels: LevelBounds | None = None,
    ) -> "ScoringModel":
        """A model from its stored parts: the booster as UBJSON, the calibration as a `CalibrationDocument`.

        levels: None for those of a version that stored its threshold alone.

        It scores on one thread: for a few rows threads cost more than they save, and a block of rows has a processor of its own.

        Raises:
            UnusableModel: a part cannot be read, or the booster was not trained on the schema's features.
        """
        if not booster.endswith(b"}"):  # XGBoost ends the process on an empty file, and reads on past the end of one cut short
            raise UnusableModel(f"model {version} is empty or cut short")
        loaded = xgboost.Booster()
        try:
            loaded.load_model(bytearray(booster))
            curve = calibration_from(calibration)
            inputs = Inputs.stored(loaded, schema)
        except (xgboost.core.XGBoostError, ValueError) as error:
            raise UnusableModel(f"model {version} cannot be read") from error
        names = feature_names(inputs.columns)
        if loaded.num_features() != len(names) or (loaded.feature_names or names) != names:
            raise UnusableModel(f"model {version} was not trained on the features of schema {schema.name}")
        loaded.set_param({"nthread": 1})
        if not 0 < threshold < 1:
            raise UnusableModel(f"model {version} has a threshold outside 0 to 1")
        if average_probability is not None and not 0 <= average_probability <= 1:
            raise UnusableModel(f"model {version} has an average probability outside 0 to 1")
        bounds = levels or bounds_of_threshold(threshold)
        contributions = Contributions(loaded, lambda rows: matrix(inputs.columns, rows, threads=1))
        return cls(version, schema, inputs, loaded, curve, bounds, contributions, average_probability)

    @property
    def threshold(self) -> float:
        """The probability from which a customer is at high risk."""
        return self.levels.high

    @property
    def intervals(self) -> Intervals | None:
        """The intervals of the probabilities; None for a version of an earlier release."""
        return self.calibration.intervals if isinstance(self.calibration, Bounded) else None

    def matrix(self, rows: Rows) -> xgboost.DMatrix:
        """Encoded rows (n, features) as the booster's input."""
        return matrix(self.inputs.columns, self.inputs.rows(rows), threads=1)

    def margins(self, rows: Rows) -> Floats:
        """Raw scores in log-odds, shape (n,)."""
        scores: NDArray[np.float32] = self.booster.predict(self.matrix(rows), output_margin=True)
        return scores.astype(np.float64)

    def probabilities(self, rows: Rows) -> Floats:
        """Calibrated probabilities, shape (n,)."""
        return self.calibration.probability(self.margins(rows))

    def explain(self, rows: Rows) -> Explained:
        """Probabilities with exact TreeSHAP contributions, for float32 rows (n, features). Contributions are by `inputs.explained`."""
        of_inputs, base_margin = self.contributions.of(self.inputs.rows(rows))
        values = self.inputs.contributions(of_inputs)
        margin = base_margin + values.sum(axis=1)
        calibrated = self.calibration.probability(np.append(margin, base_margin))
        probability, base_probability = calibrated[:-1], float(calibrated[-1])
        return Explained(
            probability=probability,
            margin=margin,
            contributions=values,
            slope=_slope(self.calibration, margin, probability, base_margin, base_probability),
            base_margin=base_margin,
            base_probability=base_probability,
        )


def matrix(
    columns: Sequence[Column], rows: Rows, *, label: NDArray[np.generic] | None = None, threads: int | None = None
) -> xgboost.DMatrix:
    """Encoded rows as XGBoost's input, with the names and types of the columns (`schema.features`, or a model's `inputs.columns`).
    `threads`: None uses all."""
    return xgboost.DMatrix(
        rows,
        label=label,
        feature_names=feature_names(columns),
        feature_types=feature_types(columns),
        enable_categorical=True,
        nthread=threads,
    )


_SAME_MARGIN = 1e-7


def _slope(calibration: Calibration, margin: Floats, probability: Floats, base_margin: float, base_probability: float) -> Floats:
    rise, run = probability - base_probability, margin - base_margin
    same = np.abs(run) < _SAME_MARGIN
    if not same.any():
        chord: Floats = rise / run
        return chord
    return np.where(same, calibration.derivative(margin), np.divide(rise, run, out=np.zeros_like(rise), where=~same))
