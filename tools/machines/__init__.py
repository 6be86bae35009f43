"""The state machines, each described once in a file of its own; `make generate` writes statemachines/ from them."""

from pathlib import Path

import yaml

from tools.machines.asl import Machine
from tools.machines.exports import EXPORT
from tools.machines.history import HISTORY
from tools.machines.imports import IMPORT
from tools.machines.preparing import PREPARE
from tools.machines.recounts import RECOUNT
from tools.machines.retraining import RETRAINING
from tools.machines.scoring import SCORING, SCORING_DISTRIBUTED

FOLDER = Path(__file__).parents[2] / "statemachines"

MACHINES: dict[str, tuple[Machine, str]] = {
    "export": (EXPORT, "exports"),
    "history": (HISTORY, "history"),
    "import": (IMPORT, "imports"),
    "prepare": (PREPARE, "preparing"),
    "recount": (RECOUNT, "recounts"),
    "retraining": (RETRAINING, "retraining"),
    "scoring": (SCORING, "scoring"),
    "scoring-distributed": (SCORING_DISTRIBUTED, "scoring"),
}
"""Each definition with the file here that describes it."""


def definition_files() -> dict[Path, str]:
    """Every file of statemachines/ with its text."""
    return {FOLDER / f"{name}.asl.yaml": _text(machine, source) for name, (machine, source) in MACHINES.items()}


def _text(machine: Machine, source: str) -> str:
    header = f"# Made from tools/machines/{source}.py by `make generate`; change that file.\n"
    return header + yaml.safe_dump(machine.asl(), sort_keys=False, width=140, allow_unicode=True)
