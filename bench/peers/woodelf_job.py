"""woodelf-explainer on a model and rows: `woodelf_job.py MODEL ROWS EXPECTED`. For each line with a number of rows read, it explains so
many and writes the seconds; first it writes the largest difference to the expected contributions."""

import os
import sys
import time

import numpy as np
import pandas as pd
import xgboost
from woodelf import WoodelfExplainer

booster = xgboost.Booster(model_file=sys.argv[1])
rows, expected = np.load(sys.argv[2]), np.load(sys.argv[3])
frame = pd.DataFrame(rows, columns=booster.feature_names)
explainer = WoodelfExplainer(booster)
told = os.fdopen(os.dup(1), "w", buffering=1)
values = np.asarray(explainer.shap_values(frame.iloc[: len(expected)], verbose=False))
print(float(np.abs(values - expected).max()), file=told)
for line in sys.stdin:
    part = frame.iloc[: int(line)]
    started = time.perf_counter()
    explainer.shap_values(part, verbose=False)
    print(time.perf_counter() - started, file=told)
