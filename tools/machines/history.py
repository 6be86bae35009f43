"""The steps that other machines take to keep the history, and the machine that removes from it what has to go."""

from tools.machines.asl import EXECUTION, INPUT, WHOLE_INVOCATION, Fields, Function, Machine, Retry, Step, catch, choice, constant, when

_history = Function("${HistoryFunctionArn}", {"run_id": EXECUTION, "input": INPUT}, Retry(longest=60))


def keep_rows(then: str, payload: Fields | None = None) -> list[Step]:
    """The steps that keep the rows of this run and judge earlier predictions by what is known now. `then` is the step after them.

    The figures of earlier predictions are made again by every run, so a run does not fail for them.
    """
    return [
        _history.task(
            "Keep the rows",
            "keep",
            payload,
            seconds=WHOLE_INVOCATION,
            answer={"done": "$.Payload.done"},
            result="$.kept",
            comment="Writes the rows that this run left to the history, until all are written or the time of an invocation is up",
        ),
        choice("Are all rows kept?", when("$.kept.done", True, "Judge earlier predictions"), otherwise="Keep the rows"),
        _history.task(
            "Judge earlier predictions",
            "judge",
            seconds=WHOLE_INVOCATION,
            answer={"periods": "$.Payload.periods"},
            result="$.judged",
            catches=[catch(then, result="$.not_judged")],
            then=then,
        ),
    ]


HISTORY = Machine(
    "Removes people from the history who were removed since it last ran, and rows that are older than HistoryMonths.",
    [
        constant("Begin", None, result="$.progress"),
        _history.task(
            "Remove",
            "forget",
            {"progress": "$.progress"},
            seconds=WHOLE_INVOCATION,
            answer={"done": "$.Payload.done", "progress": "$.Payload.progress"},
            result="$.removed",
            comment="Rewrites the files that hold such people, until all are looked at or the time of an invocation is up",
        ),
        choice("Are all files looked at?", when("$.removed.done", True, "Done"), otherwise="Go on"),
        Step("Go on", {"Type": "Pass", "InputPath": "$.removed.progress", "ResultPath": "$.progress"}, "Remove"),
    ],
    failure=None,
    error="HistoryFailed",
    cause={"Cause": "The log of the function names the error."},
)
