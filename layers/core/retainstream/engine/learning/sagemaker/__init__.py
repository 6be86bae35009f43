"""Training on more rows than one function holds: in parts, by a training job on SageMaker's XGBoost."""
