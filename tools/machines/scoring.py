"""The machine that scores all customers, and its variant for very large bases.

A map inside one execution shares the execution's 25,000 events of history and runs at most 40 iterations at a time. In a distributed map
every segment has an execution, and so a history, of its own. The outer execution learns little about a child that fails. So a child that
fails ends with the reason as its result, and `Verify` fails the run.
"""

from tools.machines.asl import END, EXECUTION, INPUT, ITEM, Fields, Function, Machine, Retry, Step, assign, catch, each
from tools.machines.history import keep_rows

_scoring = Function("${ScoringFunctionArn}", {"run_id": EXECUTION, "input": INPUT})

_SAME: Fields = {"run_id": EXECUTION, "input": INPUT, "model_version": "$.plan.model_version", "chosen_at": "$.plan.chosen_at"}
"""What the invocations for a segment have in common, whatever the segment."""


def _failed(reason: Fields) -> Fields:
    return {"segment": "$.part.segment", "done": False, **reason}


_FAILURE_AS_RESULT = [
    assign(
        "Read the error",
        {"part": "$.part", "cause": "States.StringToJson($.error.Cause)"},
        comment="Without the stack trace: a thousand of them would exceed the limit of a state's data",
        then="Segment failed",
    ),
    assign("Segment failed", _failed({"reason": "$.cause.errorMessage"}), then=END),
    assign("Segment stopped", _failed({"error": "$.error.Error"}), then=END),
]
_TO_FAILURE_AS_RESULT = [catch("Read the error", ["SegmentFailed", "StorageUnavailable"]), catch("Segment stopped")]


def _score(*, distributed: bool) -> Step:
    segment = _scoring.turns(
        "Score a segment",
        "score",
        turn="part",
        kept=[*_SAME],
        done="Segment scored",
        retry=Retry(longest=60),
        catches=_TO_FAILURE_AS_RESULT if distributed else None,
    )
    return each(
        "Score",
        [*segment, *_FAILURE_AS_RESULT] if distributed else segment,
        over="$.plan.segments",
        item={**_SAME, "part": ITEM},
        result="$.parts",
        at_once="${MaxConcurrency}",
        distributed=distributed,
        comment="Segments side by side, "
        + ("each in an execution of its own, " if distributed else "")
        + "as many as the parameter allows",
    )


def _machine(*, distributed: bool) -> Machine:
    return Machine(
        "Scores all customers who have not left, by segments of the customers table, with one version of the model.",
        [
            _scoring.task(
                "Plan",
                "plan",
                seconds=120,
                answer={
                    "model_version": "$.Payload.model_version",
                    "chosen_at": "$.Payload.chosen_at",
                    "segments": "$.Payload.segments",
                    "planned": "States.ArrayLength($.Payload.segments)",
                },
                result="$.plan",
                comment="Opens the run and divides the base into segments",
            ),
            _score(distributed=distributed),
            _scoring.task(
                "Verify",
                "verify",
                {"planned": "$.plan.planned", "parts": "$.parts"},
                seconds=120,
                answer={"counts": "$.Payload.counts"},
                result="$.total",
                comment="Compares the segments that were scored with the plan",
            ),
            *keep_rows("Finish", {"model_version": "$.plan.model_version"}),
            _scoring.task(
                "Finish",
                "finish",
                {"model_version": "$.plan.model_version", "counts": "$.total.counts"},
                seconds=120,
                answer={"snapshot": "$.Payload"},
                retry=Retry(errors=(*Retry().errors, "Conflict")),
                comment="Adds the run to the trend and closes its record",
            ),
        ],
        failure=_scoring.failure(retry=Retry(attempts=8)),
        error="ScoringFailed",
        cause={"CausePath": "$.reason"},
    )


SCORING = _machine(distributed=False)
SCORING_DISTRIBUTED = _machine(distributed=True)
