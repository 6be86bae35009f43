"""The machine that imports an uploaded file of customers."""

from tools.machines.asl import (
    EXECUTION,
    INPUT,
    ITEM,
    WHOLE_INVOCATION,
    Fields,
    Function,
    Machine,
    Retry,
    Step,
    assign,
    choice,
    constant,
    each,
    when,
)
from tools.machines.history import keep_rows

_imports = Function("${ImportsFunctionArn}", {"import_id": EXECUTION, "input": INPUT}, Retry(longest=60))


def _one_turn(name: str, task: str, keys: list[str]) -> list[Step]:
    """An iteration of a map that is a single invocation, which receives these fields of the item."""
    payload = {key: f"$.{key}" for key in keys}
    return [_imports.task(name, task, payload, seconds=WHOLE_INVOCATION, answer={"turn": "$.Payload"}, output="$.turn")]


_PARTITION: Fields = {
    "import_id": EXECUTION,
    "partition": ITEM,
    "partitions": "$.survey.found.partition_count",
    "parts": "$.survey.found.part_count",
}
_PART: Fields = {"import_id": EXECUTION, "file": "$.plain.file", "partitions": "$.survey.found.partition_count", "part": ITEM}

IMPORT = Machine(
    "Imports the customers of an uploaded file, part by part, and accounts for every row of it.",
    [
        _imports.task(
            "Begin",
            "begin",
            seconds=120,
            answer={"file": "$.Payload.file", "packed": "$.Payload.packed"},
            result="$.begun",
            comment="Opens the run and detects the format of the file",
        ),
        choice("Is it packed?", when("$.begun.packed", True, "Packed"), otherwise="Plain"),
        assign("Plain", {"file": "$.begun.file"}, result="$.plain", then="Not yet surveyed"),
        constant("Packed", {"upload": None}, result="$.plain"),
        _imports.task(
            "Unpack",
            "unpack",
            {"file": "$.begun.file", "upload": "$.plain.upload"},
            seconds=WHOLE_INVOCATION,
            answer={"done": "$.Payload.done", "file": "$.Payload.file", "upload": "$.Payload.upload"},
            result="$.plain",
            comment="Writes the plain text of a compressed file beside it",
        ),
        choice("Is it unpacked?", when("$.plain.done", True, "Not yet surveyed"), otherwise="Unpack"),
        constant("Not yet surveyed", {"found": None}, result="$.survey"),
        _imports.task(
            "Survey",
            "survey",
            {"file": "$.plain.file", "found": "$.survey.found"},
            seconds=WHOLE_INVOCATION,
            answer={"found": "$.Payload"},
            result="$.survey",
            comment="Divides the file at the beginnings of rows",
        ),
        choice("Is it surveyed?", when("$.survey.found.done", True, "Index"), otherwise="Survey"),
        each(
            "Index",
            _one_turn("Index a part", "index", [*_PART]),
            over="$.survey.found.parts",
            item=_PART,
            result="$.indexed",
            at_once="${MaxConcurrency}",
            comment="Counts the rows of every part and notes their ids",
        ),
        each(
            "Compare",
            _one_turn("Compare a partition", "compare", [*_PARTITION]),
            over="$.survey.found.partitions",
            item=_PARTITION,
            result="$.compared",
            at_once="${MaxConcurrency}",
            comment="Finds the rows that repeat the id of an earlier row, anywhere in the file",
        ),
        _imports.task(
            "Begin to load",
            "begin_load",
            {"indexed": "$.indexed", "compared": "$.compared"},
            seconds=120,
            answer={"rows": "$.Payload.rows"},
            result="$.counted",
            comment="Adds up the rows of all parts",
        ),
        each(
            "Load",
            _imports.turns("Load a part", "load", turn="turn", kept=["import_id", "file"], done="Part loaded"),
            over="$.survey.found.parts",
            item={"import_id": EXECUTION, "file": "$.plain.file", "turn": {"part": ITEM, "next": None, "counts": {}}},
            result="$.loaded",
            at_once="${MaxConcurrency}",
            comment="Parts side by side, as many as the parameter allows",
        ),
        _imports.task(
            "Verify",
            "verify",
            {"indexed": "$.indexed", "turns": "$.loaded"},
            seconds=600,
            answer={"counts": "$.Payload.counts", "first": "$.Payload.first"},
            result="$.verified",
            comment="Compares the rows that were loaded with the rows of the file",
        ),
        *keep_rows("Finish"),
        _imports.task(
            "Finish",
            "finish",
            {"turns": "$.loaded", "verified": "$.verified"},
            seconds=WHOLE_INVOCATION,
            answer={"counts": "$.Payload.counts"},
            result="$.finished",
            comment="Writes the file of rejected rows and closes the run's record",
        ),
    ],
    failure=_imports.failure(result="$.failure", retry=Retry(attempts=8, longest=60), comment="Writes the reason to the run's record"),
    error="ImportFailed",
    cause={"CausePath": "$.failure.reason"},
)
