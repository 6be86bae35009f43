"""An MLflow model with the same booster and XGBoost's own exact contributions. `python mlflow_model.py FOLDER` saves it there."""

import os
import sys

import mlflow.pyfunc
import numpy as np
import xgboost


class Churn(mlflow.pyfunc.PythonModel):
    def load_context(self, context):
        self.booster = xgboost.Booster(model_file=context.artifacts["model"])
        self.booster.set_param({"nthread": 1})

    def predict(self, context, model_input, params=None):
        booster = self.booster
        matrix = xgboost.DMatrix(
            np.asarray(model_input, dtype=np.float32),
            feature_names=booster.feature_names,
            feature_types=booster.feature_types,
            enable_categorical=True,
            nthread=1,
        )
        return booster.predict(matrix, pred_contribs=True)


if __name__ == "__main__":
    mlflow.pyfunc.save_model(sys.argv[1], python_model=Churn(), artifacts={"model": os.environ["MODEL_FILE"]}, pip_requirements=[])
