"""The service many write first: Flask, pandas and shap.TreeExplainer. Served by gunicorn with one worker and a thread per client."""

import os

import numpy as np
import pandas as pd
import shap
import xgboost
from flask import Flask, jsonify, request

booster = xgboost.Booster(model_file=os.environ["MODEL_FILE"])
booster.set_param({"nthread": 1})
explainer = shap.TreeExplainer(booster)
names, kinds = booster.feature_names, booster.feature_types
app = Flask(__name__)


def frame(rows):
    columns = pd.DataFrame(rows, columns=names)
    for name, kind in zip(names, kinds):
        columns[name] = columns[name].astype("float32")
        if kind == "c":
            columns[name] = pd.Categorical(columns[name].astype("int32"), categories=range(3))
    return columns


@app.post("/score")
def score():
    columns = frame(request.get_json()["rows"])
    matrix = xgboost.DMatrix(columns, enable_categorical=True)
    probability = booster.predict(matrix)
    values = explainer.shap_values(columns)
    return jsonify(
        probability=np.asarray(probability, dtype=float).tolist(),
        contributions=[dict(zip(names, map(float, row))) for row in np.asarray(values)],
        base=float(np.ravel(explainer.expected_value)[0]),
    )
