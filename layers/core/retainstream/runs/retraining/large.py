"""The tasks of a training run with too many rows for one function.

Extract: parts, and a sample of them as the run's data set, on which validation, search and evaluation work. Train: the shape of the trees,
searched on the sample. Fit: all parts as bins, the training job, and its model as the candidate.
"""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from functools import partial
from typing import TypedDict

from retainstream.engine.learning.dataset import Provenance, merged
from retainstream.engine.learning.fit import FitFacts, JobFitRecord, averaged, calibrated_on_newest, facts_of
from retainstream.engine.learning.row_counts import counted
from retainstream.engine.learning.sagemaker.artefact import MOST_PACKED, UnusableArtefact, booster_in
from retainstream.engine.learning.sagemaker.bins import Bins
from retainstream.engine.learning.sagemaker.parts import for_calibration, for_the_job, sampled
from retainstream.engine.learning.sagemaker.translation import on_features
from retainstream.engine.learning.search import Search, SearchRecord
from retainstream.engine.learning.split import Split, split_of
from retainstream.engine.learning.trees import TreeSettings
from retainstream.engine.model.model import ScoringModel
from retainstream.registry.versions import version_name
from retainstream.runs.retraining import job
from retainstream.runs.retraining.files import PartExtracted, PartOfBase
from retainstream.runs.retraining.team import team_of
from retainstream.runs.retraining.workbench import TrainingEvent, Workbench
from retainstream.settings import settings
from retainstream.storage.errors import NotStored, TooLarge
from retainstream.storage.stores import Stores

SEED = 0


class PartEvent(TypedDict):
    run_id: str
    part: PartOfBase


class GatherEvent(TrainingEvent):
    parts: Sequence[PartExtracted]


class Gathered(TypedDict):
    """The parts that have labelled rows, and whether the data set is a sample of them."""

    sampled: bool
    parts: list[PartOfBase]


class Shaped(TypedDict):
    """Nothing: the shape is in the working files."""


class PartExported(TypedDict):
    rows: int


class ImportModelEvent(TrainingEvent):
    """`exported` are the answers for all parts."""

    job: job.JobRequest
    exported: Sequence[PartExported]


class Imported(TypedDict):
    version: str


def gather(stores: Stores, event: GatherEvent) -> Gathered:
    """Makes the run's data set of the parts: all their rows, or a sample where they have too many for one function.

    Raises:
        NoContainer: a training job is needed, and no container is known for the stack's region.
    """
    bench = Workbench(stores.documents, event["run_id"])
    provenances = {part["part"]: Provenance(**part["provenance"]) for part in event["parts"]}
    total, most = sum(part.labelled for part in provenances.values()), settings().sagemaker_row_threshold
    share = min(1.0, most / max(total, 1))
    if share < 1:
        job.image(job.region(settings()))
    kept = [(sampled(bench.part(number), share), provenance) for number, provenance in sorted(provenances.items())]
    data, provenance = merged(kept)
    document = {**provenance.document(), **({"sample": len(data)} if share < 1 else {})}
    stored = bench.put_data(data)
    bench.put_json("provenance.json", {**document, "sha256": stored.sha256})
    stores.runs.step_finished(event["run_id"], "extract", document)
    return {"sampled": share < 1, "parts": [{"part": number} for number, part in sorted(provenances.items()) if part.labelled]}


def shape(stores: Stores, event: TrainingEvent) -> Shaped:
    """Searches the shape of the trees on the sample, without the customers kept for calibration, and makes the bins.

    A job fits a single shape: with so many rows a blend gains least, and it would take a job for each member.
    """
    bench = Workbench(stores.documents, event["run_id"])
    with stores.runs.step(event["run_id"], "train") as detail:
        data = bench.data()
        split = split_of(data)
        learned = for_the_job(data, split)
        search = Search(learned, settings().training_seconds, SEED, trees_alone=True, most_members=1)
        chosen = search.run()
        record, rows = search.record(chosen), {"tune": len(chosen.losses)}
        document = {"settings": asdict(chosen.best.settings), "rounds": chosen.best.rounds, "record": {**record, "rows": rows}}
        bench.put_json("shape.json", document)
        bench.put_json("bins.json", Bins.of(learned).document())
        bench.put_json("split.json", split.document())
        detail.update(chosen=record["chosen"], trials=len(record["trials"]), sample=len(learned))
    return {}


def export_part(stores: Stores, event: PartEvent) -> PartExported:
    """Writes one part as the text that the training job reads."""
    bench = Workbench(stores.documents, event["run_id"])
    part = event["part"]["part"]
    data = for_the_job(bench.part(part), Split.from_document(bench.get_json("split.json")))
    if len(data):
        bench.put_rows(part, _bins(bench).lines(data.rows, data.churned))
    return {"rows": len(data)}


def prepare_job(stores: Stores, event: TrainingEvent) -> job.JobRequest:
    """The request for the training job, the same every time."""
    bench = Workbench(stores.documents, event["run_id"])
    stores.runs.step_started(event["run_id"], "fit")
    decided = bench.get_json("shape.json")
    named = job.hyper_parameters(bench.data().schema, TreeSettings(**decided["settings"]), decided["rounds"], _bins(bench), seed=SEED)
    return job.request(settings(), event["run_id"], named, rows_prefix=bench.rows_prefix, output_prefix=bench.output_prefix)


def import_model(stores: Stores, event: ImportModelEvent) -> Imported:
    """Makes the job's model the run's candidate: in terms of the schema's columns, calibrated, with a threshold.

    Raises:
        UnusableArtefact: the job did not leave a model of this data.
    """
    run_id, name = event["run_id"], event["job"]["TrainingJobName"]
    bench = Workbench(stores.documents, run_id)
    try:
        archive = bench.job_archive(name, at_most=MOST_PACKED)
    except NotStored as error:
        raise UnusableArtefact(f"The training job {name} left no model.") from error
    except TooLarge as error:
        raise UnusableArtefact(f"The archive that the training job left is larger than {MOST_PACKED // 1_000_000} MB.") from error
    data = bench.data()
    split = split_of(data)
    development = data.where(split.development(data))
    booster = counted(on_features(booster_in(archive), _bins(bench), data.schema), data.schema.features, development.rows)
    make = partial(
        ScoringModel.from_bytes,
        bytes(booster.save_raw("ubj")),
        schema=data.schema,
        version=version_name(datetime.fromisoformat(event["started_at"]), run_id),
    )
    reserved = for_calibration(data, split)
    margins = make({"method": "none"}, threshold=0.5).margins(reserved.rows)
    calibrated = calibrated_on_newest(reserved, margins, team_of(stores))
    bounds = calibrated.threshold.levels
    model = averaged(make(calibrated.curve.document(), threshold=bounds.high, levels=bounds), development)
    record = _record(bench, event, facts_of(development, reserved, calibrated))
    bench.put_candidate(model, record)
    detail = {
        "job": name,
        "rows": record["rows"]["train"],
        "calibration": record["calibration"],
        "version": model.version,
    }
    stores.runs.step_finished(run_id, "fit", detail)
    return {"version": model.version}


def _record(bench: Workbench, event: ImportModelEvent, facts: FitFacts) -> JobFitRecord:
    searched, asked = bench.get_json("shape.json")["record"], event["job"]
    search: SearchRecord = searched
    rows = sum(part["rows"] for part in event["exported"])
    return {
        **search,
        **facts,
        "out_of_fold": None,
        "cross_fitted": None,
        "refitted": False,
        "rows": {**facts["rows"], "tune": searched["rows"]["tune"], "train": rows},
        "training_job": {
            "name": asked["TrainingJobName"],
            "container": asked["AlgorithmSpecification"]["TrainingImage"].rpartition("/")[2],
            "instances": asked["ResourceConfig"]["InstanceCount"],
            "instance_type": asked["ResourceConfig"]["InstanceType"],
        },
    }


def _bins(bench: Workbench) -> Bins:
    return Bins.from_document(bench.get_json("bins.json"))
