"""The machine that counts everything again and compares the dashboard's counters with it."""

from tools.machines.asl import EXECUTION, INPUT, ITEM, Function, Machine, Retry, choice, constant, each, wait, when

_recount = Function("${RecountFunctionArn}", {"run_id": EXECUTION, "input": INPUT})

RECOUNT = Machine(
    "Counts customers and predictions again, compares the dashboard's counters with the result and, if asked to, repairs them.",
    [
        _recount.task(
            "Open",
            "open",
            seconds=120,
            answer={"plan": "$.Payload"},
            comment="Opens the run and notes the versions of the counters",
        ),
        choice("What next?", when("$.plan.next", "wait", "Wait"), when("$.plan.next", "count", "Count"), otherwise="Done"),
        wait("Wait", "$.plan.wait_seconds", comment="Until the counters have had time to process the last changes"),
        constant("Nothing was counted", [], result="$.parts", then="Compare"),
        each(
            "Count",
            _recount.turns("Count a part", "count", turn="part", kept=["run_id"], done="Part counted", retry=Retry(longest=60)),
            over="$.plan.parts",
            item={"run_id": EXECUTION, "part": ITEM},
            result="$.parts",
            at_once=8,
            comment="Segments of the tables, side by side",
        ),
        _recount.task(
            "Compare",
            "look",
            {"plan": "$.plan", "parts": "$.parts"},
            seconds=120,
            answer={"plan": "$.Payload"},
            then="What next?",
            comment="Checks that the counters have not changed, compares them, and decides what follows",
        ),
    ],
    failure=_recount.failure(retry=Retry(attempts=8)),
    error="RecountFailed",
    cause={"CausePath": "$.reason"},
)
