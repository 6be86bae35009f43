"""The machine that adds a delivered file to its source, or prepares training rows and present features from the sources."""

from tools.machines.asl import EXECUTION, INPUT, ITEM, WHOLE_INVOCATION, Function, Machine, Retry, choice, constant, each, when

_prepare = Function("${PrepareFunctionArn}", {"run_id": EXECUTION, "input": INPUT}, Retry(longest=60))

PREPARE = Machine(
    "Adds a delivered file to its source, or prepares training rows and present features from the sources.",
    [
        choice("Which work?", when("$.work", "delivery", "Read"), otherwise="Look for removed customers"),
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
        choice("Are all parts merged?", when("$.read.turn.done", True, "Account for the rows"), otherwise="Merge"),
        _prepare.task(
            "Account for the rows",
            "finish_delivery",
            seconds=300,
            answer={"counts": "$.Payload.counts"},
            result="$.finished",
            comment="Accounts for every row of the file and closes the run's record",
            then="Done",
        ),
        constant("Look for removed customers", {"turn": None}, result="$.forgotten"),
        _prepare.task(
            "Forget",
            "forget",
            {"turn": "$.forgotten.turn"},
            seconds=WHOLE_INVOCATION,
            answer={"turn": "$.Payload"},
            result="$.forgotten",
            comment="Removes the rows of removed customers from the sources until the time of an invocation is up",
        ),
        choice("Are they forgotten?", when("$.forgotten.turn.done", True, "Begin"), otherwise="Forget"),
        _prepare.task(
            "Begin",
            "begin",
            seconds=120,
            answer={"prepares": "$.Payload.prepares"},
            result="$.begun",
            comment="Opens the run; a scheduled one ends here where there is nothing to prepare",
        ),
        choice("Is there work?", when("$.begun.prepares", True, "Build"), otherwise="Done"),
        _prepare.task(
            "Build",
            "build",
            seconds=WHOLE_INVOCATION,
            answer={"parts": "$.Payload.parts"},
            result="$.built",
            comment="Computes training rows, lives and present features, and keeps the training rows",
        ),
        each(
            "Store",
            _prepare.turns("Store a part", "store", turn="turn", kept=["run_id", "input"], done="Part stored"),
            over="$.built.parts",
            item={"run_id": EXECUTION, "input": INPUT, "turn": {"part": ITEM, "next": 0, "counts": {}}},
            result="$.stored",
            at_once="${MaxConcurrency}",
            comment="Customers, part by part, side by side",
        ),
        _prepare.task(
            "Finish",
            "finish",
            {"turns": "$.stored"},
            seconds=300,
            answer={"counts": "$.Payload.counts"},
            result="$.finished",
            comment="Accounts for every customer and closes the run's record",
        ),
    ],
    failure=_prepare.failure(result="$.failure", retry=Retry(attempts=8, longest=60), comment="Writes the reason to the run's record"),
    error="PrepareFailed",
    cause={"CausePath": "$.failure.reason"},
)
