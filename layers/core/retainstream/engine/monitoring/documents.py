"""The stored documents of monitoring: the reference of a model, a run's tally, drift and expected performance."""

from typing import Literal, NotRequired, ReadOnly, TypedDict

from retainstream.engine.monitoring.stability import Level

type Kind = Literal["number", "integer", "boolean", "category", "date"]


class FeatureBins(TypedDict):
    """A feature's bins: `levels` for a category, otherwise the `edges` where a bin begins, with one more bin below the first edge.

    counts: rows per bin, without the bin for missing values.
    """

    edges: NotRequired[ReadOnly[list[float]]]
    levels: NotRequired[ReadOnly[list[str]]]
    counts: ReadOnly[list[int]]


class FeatureReference(FeatureBins):
    """A feature's bins in the reference. `stayed` and `stayed_missing` count the rows of customers who stayed.

    `probability` is the rows' mean churn probability per bin, missing last, and `stayed_probability` that of the rows that stayed; a bin
    without a row has the mean of all. Earlier references have neither.
    """

    feature: str
    label: str
    unit: str
    kind: Kind
    missing: int
    stayed: list[int]
    stayed_missing: int
    probability: NotRequired[list[float]]
    stayed_probability: NotRequired[list[float]]


class ScoreReference(TypedDict):
    """Held-out rows per bin of the probability (see `score_bins`). `stayed` counts the rows of customers who stayed."""

    rows: int
    counts: list[int]
    stayed: list[int]


class Recalibration(TypedDict):
    """Cox's recalibration of a model's probabilities by the rows behind its calibration, with variances; see `learning.recalibration`."""

    centre: float
    level: float
    slope: float
    level_variance: float
    slope_variance: float
    covariance: float


class Reference(TypedDict):
    """What customers and scores looked like when a model was made. References of earlier releases have no `recalibration`."""

    rows: int
    stayed_rows: int
    features: list[FeatureReference]
    score: ScoreReference
    recalibration: NotRequired[Recalibration]


class TallyDocument(TypedDict):
    """A tally as JSON. scores: bin → [customers, their summed probabilities in millionths], for bins that hold customers."""

    customers: int
    stayed: int
    synthetic: int
    features: list[int]
    scores: dict[str, list[int]]


class BinShares(TypedDict):
    """A bin's share in the reference and among the scored customers."""

    label: str
    reference: float
    now: float


class ChurnShiftDocument(TypedDict):
    """A `churn_shift` as JSON. `customers`: the shift times the scored customers."""

    probability: float
    customers: float
    relative: float
    critical: float
    level: Level


class PartDrift(TypedDict):
    """The drift of a feature or of the score. `told` says what moved most, and is None without drift. See `stability` for the figures.

    `level` is the higher of the levels of the PSI and of the churn shift, which is None where the reference has no probabilities.
    """

    feature: str
    label: str
    unit: str
    psi: float
    noise: float
    critical: float
    level: Level
    told: str | None
    churn_shift: ChurnShiftDocument | None
    bins: list[BinShares]


class RunDrift(TypedDict):
    """The drift of one run. `level` is the highest of all parts; `features` begin with the one that drifted most."""

    customers: int
    reference_rows: int
    level: Level
    score: PartDrift
    features: list[PartDrift]


class Interval(TypedDict):
    """An interval with its lower and upper end."""

    low: float
    high: float


class ExpectationDocument(TypedDict):
    """An `Expectation` as JSON."""

    customers: int
    churners: float
    true_positives: float
    false_positives: float
    false_negatives: float
    true_negatives: float
    brier: float
    log_loss: float
    roc_auc: float | None
    roc_auc_interval: Interval | None
    sampling_error: float | None
    calibration_error: float | None
    churners_interval: Interval
