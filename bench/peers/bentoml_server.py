"""BentoML with the same booster and XGBoost's own exact contributions."""

import os

import bentoml
import numpy as np
import xgboost


@bentoml.service(workers=1, metrics={"enabled": False}, logging={"access": {"enabled": False}})
class Churn:
    def __init__(self) -> None:
        self.booster = xgboost.Booster(model_file=os.environ["MODEL_FILE"])
        self.booster.set_param({"nthread": 1})

    @bentoml.api(route="/score")
    def score(self, rows: list[list[float]]) -> dict:
        booster = self.booster
        matrix = xgboost.DMatrix(
            np.array(rows, dtype=np.float32),
            feature_names=booster.feature_names,
            feature_types=booster.feature_types,
            enable_categorical=True,
            nthread=1,
        )
        values = booster.predict(matrix, pred_contribs=True)
        margins = values.sum(axis=1)
        return {"probability": (1 / (1 + np.exp(-margins))).tolist(), "contributions": values.tolist()}
