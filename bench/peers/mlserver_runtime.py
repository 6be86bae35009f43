"""MLServer's XGBoost runtime, made to answer XGBoost's own exact contributions, which the runtime as it comes cannot."""

import os

import numpy as np
import xgboost
from mlserver import MLModel
from mlserver.codecs import NumpyCodec, NumpyRequestCodec
from mlserver.types import InferenceRequest, InferenceResponse


class Explaining(MLModel):
    async def load(self) -> bool:
        self.booster = xgboost.Booster(model_file=os.environ["MODEL_FILE"])
        self.booster.set_param({"nthread": 1})
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        booster = self.booster
        matrix = xgboost.DMatrix(
            np.asarray(self.decode_request(payload, default_codec=NumpyRequestCodec), dtype=np.float32),
            feature_names=booster.feature_names,
            feature_types=booster.feature_types,
            enable_categorical=True,
            nthread=1,
        )
        values = booster.predict(matrix, pred_contribs=True)
        return InferenceResponse(model_name=self.name, outputs=[NumpyCodec.encode_output("contributions", values)])
