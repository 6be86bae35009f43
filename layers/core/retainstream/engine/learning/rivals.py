"""Methods for comparison on the same folds: logistic regression, and LightGBM and CatBoost if they are installed."""

from importlib.util import find_spec
from typing import Any

import numpy as np

from retainstream.engine.learning.baseline import LinearBaseline
from retainstream.engine.learning.cross_validation import FitDescription, Fitted
from retainstream.engine.learning.dataset import DataSet
from retainstream.engine.learning.metrics import Floats
from retainstream.engine.model.encoding import Rows
from retainstream.engine.schema import FeatureSchema

LINEAR = "logistic regression"
_PACKAGES = {"LightGBM": "lightgbm", "CatBoost": "catboost"}


def rivals(seed: int) -> tuple[dict[str, Fitted], list[str]]:
    """The installed methods, with their default settings, and the names of methods that are not installed."""
    optional = {"LightGBM": _lightgbm(seed), "CatBoost": _catboost(seed)}
    installed = {name: fitted for name, fitted in optional.items() if find_spec(_PACKAGES[name])}
    return {LINEAR: _linear, **installed}, [name for name in optional if name not in installed]


def _linear(learned: DataSet, judged: DataSet) -> tuple[Floats, FitDescription]:
    return LinearBaseline.fit(learned.schema, learned.rows, learned.churned).probabilities(judged.rows), {}


def _lightgbm(seed: int) -> Fitted:
    def fitted(learned: DataSet, judged: DataSet) -> tuple[Floats, FitDescription]:
        from lightgbm import LGBMClassifier

        model = LGBMClassifier(random_state=seed, deterministic=True, force_row_wise=True, verbose=-1)
        model.fit(learned.rows, learned.churned, categorical_feature=_categories(learned.schema) or "auto")
        return _second(model.predict_proba(judged.rows)), {}

    return fitted


def _catboost(seed: int) -> Fitted:
    def fitted(learned: DataSet, judged: DataSet) -> tuple[Floats, FitDescription]:
        from catboost import CatBoostClassifier

        categories = _categories(learned.schema)
        model = CatBoostClassifier(random_seed=seed, verbose=False, allow_writing_files=False, cat_features=categories)
        model.fit(_with_levels(learned.rows, categories), learned.churned.astype(int))
        return _second(model.predict_proba(_with_levels(judged.rows, categories))), {}

    return fitted


def _categories(schema: FeatureSchema) -> list[int]:
    return [place for place, column in enumerate(schema.features) if column.kind == "category"]


def _with_levels(rows: Rows, categories: list[int]) -> Any:
    """Rows with categories as text, as CatBoost takes them; a missing category is a level of its own."""
    if not categories:
        return rows
    mixed = rows.astype(object)
    for place in categories:
        mixed[:, place] = ["" if value != value else str(int(value)) for value in rows[:, place].tolist()]
    return mixed


def _second(probabilities: Any) -> Floats:
    return np.asarray(probabilities, dtype=np.float64)[:, 1]
