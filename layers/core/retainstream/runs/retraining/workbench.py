"""The working files that the tasks of a training run leave for each other."""

from dataclasses import dataclass

from retainstream.engine.learning.dataset import DataSet
from retainstream.engine.learning.fit import FitRecord
from retainstream.engine.learning.split import split_of
from retainstream.engine.model.levels import bounds_of
from retainstream.engine.model.model import ScoringModel
from retainstream.registry.versions import JUDGED_FIT_FILE, JUDGED_MODEL_FILE
from retainstream.runs.retraining.files import TrainingEvent as TrainingEvent
from retainstream.runs.retraining.files import WorkingFiles


@dataclass(frozen=True)
class Workbench(WorkingFiles):
    """The working files of one run, with those of its candidate."""

    @property
    def rows_prefix(self) -> str:
        """The prefix of the rows that a training job reads; nothing else lies below it."""
        return f"training/{self.run_id}/rows/"

    @property
    def output_prefix(self) -> str:
        """The prefix below which a training job writes, in a folder of its own name."""
        return f"training/{self.run_id}/output/"

    def put_rows(self, number: int, lines: bytes) -> None:
        self.documents.put_bytes(f"{self.rows_prefix}{number:04}.libsvm", lines, "text/libsvm")

    def job_archive(self, job: str, *, at_most: int) -> bytes:
        """The archive that a training job of this run left.

        Raises:
            NotStored: it left none.
            TooLarge: the archive is larger than `at_most` bytes.
        """
        return self.documents.get_bytes(f"{self.output_prefix}{job}/output/model.tar.gz", at_most=at_most)

    def put_candidate(self, model: ScoringModel, record: FitRecord) -> None:
        """The model that goes into service if it passes the gate."""
        self._put_model("candidate/model.ubj", "candidate/fit.json", model, record)

    def put_judged(self, model: ScoringModel, record: FitRecord) -> None:
        """The model that is judged in the candidate's place, since the candidate has learned from the test rows."""
        self._put_model(f"candidate/{JUDGED_MODEL_FILE}", f"candidate/{JUDGED_FIT_FILE}", model, record)

    def candidate(self, data: DataSet) -> ScoringModel:
        """The model that goes into service if it passes the gate."""
        return self._model("candidate/model.ubj", "candidate/fit.json", data)

    def judged(self, data: DataSet) -> ScoringModel:
        """The model that is judged on the test rows: the candidate, unless it was fitted again to all rows."""
        if not self.refitted():
            return self.candidate(data)
        return self._model(f"candidate/{JUDGED_MODEL_FILE}", f"candidate/{JUDGED_FIT_FILE}", data)

    def refitted(self) -> bool:
        """Whether the candidate was fitted again to all rows, after another model of its settings was fitted to be judged."""
        return bool(self.get_json("candidate/fit.json")["record"].get("refitted"))

    def _put_model(self, model_file: str, fit_file: str, model: ScoringModel, record: FitRecord) -> None:
        self.put(model_file, bytes(model.booster.save_raw("ubj")))
        self.put_json(
            fit_file,
            {
                "version": model.version,
                "threshold": model.threshold,
                "average_probability": model.average_probability,
                "levels": model.levels.document(),
                "calibration": model.calibration.document(),
                "record": record,
            },
        )

    def _model(self, model_file: str, fit_file: str, data: DataSet) -> ScoringModel:
        fitted = self.get_json(fit_file)
        return ScoringModel.from_bytes(
            self.get(model_file),
            fitted["calibration"],
            data.schema,
            threshold=fitted["threshold"],
            version=fitted["version"],
            average_probability=fitted.get("average_probability"),
            levels=bounds_of(fitted),
        )


def sides(data: DataSet) -> tuple[DataSet, DataSet]:
    """Development rows and test rows."""
    return split_of(data).sides(data)
