"""The past of the generated business, month by month, through the stack's own state machines.

Each table is imported. As soon as enough customers are known to have left, a model is trained, some months later again, and at last with
the newest table; after the other tables the model in service scores everybody. The ids of the runs follow from the day of the table, so
what is done is not done again after an interruption.
"""

import csv
import io
import os
from collections.abc import Callable
from datetime import date
from itertools import count

from local.first_training import TrainingError, run_to_its_end, wait_for_counters, wait_for_file
from local.stack import LocalStack
from retainstream.engine.business.calendar import day_of
from retainstream.engine.business.files import monthly
from retainstream.engine.business.simulation import simulate
from retainstream.engine.business.truth import HORIZON
from retainstream.engine.records import SYNTHETIC
from retainstream.registry.active_schema import active_schema
from retainstream.registry.champion import champion
from retainstream.runs.imports.request import ImportRequest, ask
from retainstream.runs.imports.work import upload_key
from retainstream.runs.keys import request_of
from retainstream.storage.runs import Kind, Run
from retainstream.storage.stores import Stores

type Tell = Callable[[str], None]
"""Is called with a sentence on what is being done."""

_STARTED_BY = "first start"
_SEED = 20260101
_ENOUGH_LEAVERS = 100
"""Known leavers from which a first model is trained."""
_TRAINED_EVERY = 4


class Past:
    """The tables of a business, one at the beginning and one at the end of each month, the last one of the day `until`.

    done: the number of tables that are replayed.
    """

    def __init__(self, stack: LocalStack, customers: int, months: int, until: date) -> None:
        self._stack, self._stores = stack, Stores()
        self._business = simulate(customers, months + 1, until, _SEED)
        self.tables = len(self._business.anchors)
        self.done = 0
        self._trainings = self._planned_trainings()

    @property
    def is_over(self) -> bool:
        return self.done == self.tables

    @property
    def day(self) -> str:
        """The day of the newest table that is replayed; of the first one before that."""
        return self._day(max(0, self.done - 1))

    @property
    def has_model(self) -> bool:
        """Whether a model is in service."""
        return champion(self._stores.models) is not None

    def go_on(self, tell: Tell) -> None:
        """Replays the next table: imports it, and trains a model or scores all customers.

        Raises:
            TrainingError
        """
        day = self._day(self.done)
        self._import(day, tell)
        wait_for_counters(self._stack)
        scored = self.done in self._trainings and self._train(day, tell)
        if not scored and self.has_model:
            self._run("scoring", os.environ["SCORING_STATE_MACHINE_ARN"], day, tell)
        wait_for_counters(self._stack)
        self.done += 1

    def _day(self, place: int) -> str:
        return day_of(self._business.anchors[place]).isoformat()

    def _planned_trainings(self) -> set[int]:
        """The places of the tables after which a model is trained: the first with enough known leavers, later ones, and the last."""
        anchors, left = self._business.anchors, self._business.lives.left
        known = [
            sum(int(((left > anchor) & (left <= anchor + HORIZON)).sum()) for anchor in anchors[:place] if anchor + HORIZON <= now)
            for place, now in enumerate(anchors)
        ]
        first = next((place for place, leavers in enumerate(known) if leavers >= _ENOUGH_LEAVERS), self.tables - 1)
        return {*range(first, self.tables - 1, _TRAINED_EVERY), self.tables - 1}

    def _import(self, day: str, tell: Tell) -> None:
        text = io.StringIO()
        header, lines = monthly(self._business, self.done)
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(lines)
        content = text.getvalue().encode()
        request = ImportRequest(file_name=f"{day}.csv", size=len(content), features_as_of=day, outcomes_as_of=day)
        key, run = self._attempt("import", day, request)
        if run is not None and run["status"] == "SUCCEEDED":
            return
        schema = active_schema(self._stores.documents)
        asked = ask(self._stores, schema, request, by=_STARTED_BY, idempotency_key=key, source=SYNTHETIC)
        self._stores.documents.put_bytes(upload_key(asked.import_id), content, "text/csv")
        wait_for_file(asked.import_id, lambda step: tell(f"{day}, import: {step}"), what=f"The import of {day}")

    def _train(self, day: str, tell: Tell) -> bool:
        """Trains a model. Returns whether it went into service, and so has scored all customers.

        While there is no model, a training that fails or promotes none is tried again after the next table.
        """
        promoted, reason = False, ""
        try:
            result = self._run("training", os.environ["RETRAINING_STATE_MACHINE_ARN"], day, tell)["result"]
            promoted, reason = result["promoted"], f"The training of {day} promoted no model: {' '.join(result['reasons'])}"
        except TrainingError as error:
            reason = str(error)
        if not self.has_model:
            if self.done == self.tables - 1:
                raise TrainingError(reason)
            self._trainings.add(self.done + 1)
        return promoted

    def _run(self, kind: Kind, machine_arn: str, day: str, tell: Tell) -> Run:
        key, run = self._attempt(kind, day)
        if run is not None and run["status"] == "SUCCEEDED":
            return run
        run_id, what = request_of(kind, _STARTED_BY, key).run_id, f"The {kind} of {day}"
        return run_to_its_end(machine_arn, run_id, {"started_by": _STARTED_BY}, lambda step: tell(f"{day}, {kind}: {step}"), what=what)

    def _attempt(self, kind: Kind, day: str, request: ImportRequest | None = None) -> tuple[str, Run | None]:
        """The key of the newest attempt that has not failed, and its run, if there is one."""
        for attempt in count():
            key = f"{day} {attempt}"
            run = self._stores.runs.get(request_of(kind, _STARTED_BY, key, request).run_id)
            if run is None or run["status"] != "FAILED":
                return key, run
        raise AssertionError
