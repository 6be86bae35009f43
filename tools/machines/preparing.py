"""The machine that adds a delivered file to its source."""

from tools.machines.asl import EXECUTION, INPUT, WHOLE_INVOCATION, Function, Machine, Retry, choice, when

_prepare = Function("${PrepareFunctionArn}", {"run_id": EXECUTION, "input": INPUT}, Retry(longest=60))

PREPARE = Machine(
    "Adds a delivered file to its source.",
    [
        _prepare.task(
            "Read",
            "read_delivery",
            seconds=WHOLE_INVOCATION,
            answer={"turn": "$.Payload"},
            result="$.read",
            comment="Reads the file and divides its rows into the parts of the source",
        ),
        _prepare.task(
            "Merge",
            "merge_delivery",
            {"turn": "$.read.turn"},
            seconds=WHOLE_INVOCATION,
            answer={"turn": "$.Payload"},
            result="$.read",
            comment="Merges parts into the source until the time of an invocation is up",
        ),
        choice("Are all parts merged?", when("$.read.turn.done", True, "Finish"), otherwise="Merge"),
        _prepare.task(
            "Finish",
            "finish_delivery",
            seconds=300,
            answer={"counts": "$.Payload.counts"},
            result="$.finished",
            comment="Accounts for every row of the file and closes the run's record",
        ),
    ],
    failure=_prepare.task(
        "Record the failure",
        "fail_delivery",
        {"error": "$.error"},
        seconds=120,
        answer={"reason": "$.Payload.reason"},
        result="$.failure",
        retry=Retry(attempts=8, longest=60),
        comment="Writes the reason to the run's record",
    ),
    error="PrepareFailed",
    cause={"CausePath": "$.failure.reason"},
)
