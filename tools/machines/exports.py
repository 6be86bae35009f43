"""The machine that writes predictions to a CSV file."""

from tools.machines.asl import EXECUTION, INPUT, WHOLE_INVOCATION, Function, Machine, Retry, choice, when

_exports = Function("${ExportsFunctionArn}", {"run_id": EXECUTION, "input": INPUT}, Retry(longest=60))

EXPORT = Machine(
    "Writes the predictions that pass some filters to a CSV file in the bucket, however many they are.",
    [
        _exports.task("Begin", "begin", seconds=120, answer={"written": "$.Payload"}, comment="Opens the run and the upload"),
        _exports.task(
            "Write",
            "write",
            {"progress": "$.written.progress"},
            seconds=WHOLE_INVOCATION,
            answer={"written": "$.Payload"},
            comment="Reads and writes until everything is written or the time of an invocation is up",
        ),
        choice("Is it done?", when("$.written.done", True, "Finish"), otherwise="Write"),
        _exports.task(
            "Finish",
            "finish",
            {"progress": "$.written.progress"},
            seconds=300,
            comment="Joins the parts to one file and compares it with what was read",
        ),
    ],
    failure=_exports.failure(comment="Also gives up the upload"),
    error="ExportFailed",
    cause={"CausePath": "$.reason"},
)
