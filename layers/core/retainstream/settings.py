"""Every environment variable of the functions: typed, validated once, named in one place."""

import os
from functools import cache
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

RATE_LIMIT_WINDOW_SECONDS = 900
TOKEN_LIFETIME_SECONDS = 24 * 60 * 60


def _comma_separated(value: object) -> object:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


class Settings(BaseModel):
    """The environment of a function. A field is read from the variable of the same name in capitals."""

    model_config = ConfigDict(frozen=True)

    stack_name: str = "local"
    users_table: str
    customers_table: str
    predictions_table: str
    models_table: str
    runs_table: str
    rollups_table: str
    rate_limits_table: str
    revoked_tokens_table: str
    removed_customers_table: str
    bucket: str

    signing_key_id: str
    sealing_secret_arn: str
    pages_secret_arn: str = ""
    token_issuer: str
    token_audience: str = "retainstream"
    self_registration: Literal["closed", "domain", "open"] = "closed"
    registration_domain: str = ""
    allowed_origins: Annotated[tuple[str, ...], BeforeValidator(_comma_separated)] = ()
    rate_limit_anonymous: int = Field(default=100, ge=1)
    rate_limit_user: int = Field(default=1000, ge=1)
    rate_limit_runs: int = Field(default=10, ge=1)
    wrong_passwords_account: int = Field(default=5, ge=1)
    wrong_passwords_address: int = Field(default=20, ge=1)

    retraining_state_machine_arn: str
    scoring_state_machine_arn: str
    import_state_machine_arn: str
    recount_state_machine_arn: str = ""
    export_state_machine_arn: str = ""
    prepare_state_machine_arn: str = ""
    notification_topic_arn: str = ""
    dead_letters_url: str = ""
    confidence_threshold: float = Field(default=0.9, ge=0.5, le=1.0)
    call_capacity: int = Field(default=0, ge=0)
    target_auc: float = Field(default=0.0, ge=0.0, le=1.0)
    champion_old_after_days: int = Field(default=28, ge=0)
    training_seconds: float = Field(default=40.0, gt=0, le=600)
    training_fewest_rows: int = Field(default=200, ge=100)
    sagemaker_row_threshold: int = Field(default=0, ge=0)
    sagemaker_instance_type: str = "ml.m5.2xlarge"
    sagemaker_instance_count: int = Field(default=1, ge=1, le=20)
    sagemaker_max_seconds: int = Field(default=3600, ge=600, le=86400)
    sagemaker_volume_gb: int = Field(default=30, ge=1, le=1000)
    model_cache_seconds: float = Field(default=30.0, ge=0.0, le=60.0)
    scoring_segments_max: int = Field(default=64, ge=1, le=1000)
    scoring_concurrency: int = Field(default=10, ge=1, le=1000)
    scoring_writes_per_second: float = Field(default=0.0, ge=0.0)
    export_at_once: int = Field(default=20_000, ge=0)
    history_database: str = ""
    history_engine_row_threshold: int = Field(default=0, ge=0)
    history_months: int = Field(default=24, ge=1, le=120)
    recount_settle_seconds: float = Field(default=30.0, ge=1, le=600)


@cache
def settings() -> Settings:
    """The settings of this process.

    Raises:
        pydantic.ValidationError: a variable is missing, or its value has the wrong type.
    """
    environment = {name: os.environ[name.upper()] for name in Settings.model_fields if name.upper() in os.environ}
    return Settings.model_validate(environment)
