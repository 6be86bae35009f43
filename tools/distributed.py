"""The scoring machine for very large bases: the same machine, with its segments in executions of their own.

A Map inside one execution shares its 25,000 events of history and runs at most 40 at a time. Distributed, every segment has a history
of its own. What fails in it is not told to the outer execution in any detail, so a segment that fails says so itself, and `Verify` fails
the run.
"""

import copy
from pathlib import Path
from typing import Any

import yaml

SOURCE = Path(__file__).parents[1] / "statemachines/scoring.asl.yaml"
TARGET = SOURCE.with_name("scoring-distributed.asl.yaml")
_HEADER = "# Made from scoring.asl.yaml by `make generate`; change that one.\n"


def distributed(machine: dict[str, Any]) -> dict[str, Any]:
    """The definition with a Distributed Map in place of its Map named Score."""
    made = copy.deepcopy(machine)
    score = made["States"]["Score"]
    score["Label"] = "segments"
    score["Comment"] = "Segments side by side, each in an execution of its own, as many as the parameter allows"
    processor = score["ItemProcessor"]
    processor["ProcessorConfig"] = {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
    processor["States"]["Score a segment"]["Catch"] = [
        {"ErrorEquals": ["SegmentFailed", "StorageUnavailable"], "ResultPath": "$.error", "Next": "Read the error"},
        {"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "Segment stopped"},
    ]
    processor["States"] |= {
        "Read the error": {
            "Type": "Pass",
            "Comment": "Without its stack trace, of which a thousand would not fit",
            "Parameters": {"part.$": "$.part", "told.$": "States.StringToJson($.error.Cause)"},
            "Next": "Segment failed",
        },
        "Segment failed": {
            "Type": "Pass",
            "Parameters": {"segment.$": "$.part.segment", "done": False, "reason.$": "$.told.errorMessage"},
            "End": True,
        },
        "Segment stopped": {
            "Type": "Pass",
            "Parameters": {"segment.$": "$.part.segment", "done": False, "error.$": "$.error.Error"},
            "End": True,
        },
    }
    return made


def distributed_text() -> str:
    """The file of the definition."""
    machine = distributed(yaml.safe_load(SOURCE.read_text()))
    return _HEADER + yaml.safe_dump(machine, sort_keys=False, width=140, allow_unicode=True)
