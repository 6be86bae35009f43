"""Validates the definitions of the state machines with asl-validator, which knows the language and nothing of this repository.

`python -m tools.machines.validation` validates statemachines/ and fails when a definition is invalid. asl-validator is one of the packages
of web/package.json.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from tools.machines import FOLDER

_ROOT = FOLDER.parent
_VALIDATOR = _ROOT / "web/node_modules/.bin/asl-validator"
_CONCURRENCY = "10"
_ARN = "arn:aws:lambda:eu-west-1:123456789012:function:substituted"


def errors_in(definitions: Iterable[Path]) -> str:
    """What asl-validator says against these definitions, empty if they are valid.

    A deployment substitutes names such as `${ScoringFunctionArn}` by values; here, examples of such values take their place.

    Raises:
        RuntimeError: asl-validator did not run.
    """
    node = shutil.which("node", path=os.pathsep.join([str(_ROOT / ".venv-node/bin"), os.environ.get("PATH", os.defpath)]))
    if not node or not _VALIDATOR.exists():
        raise RuntimeError("asl-validator is not installed: run make pages")
    with tempfile.TemporaryDirectory() as folder:
        arguments = []
        for path in definitions:
            substituted = Path(folder) / path.name
            substituted.write_text(re.sub(r"\$\{(\w+)\}", _example, path.read_text()))
            arguments += ["--yaml-path", path.name]
        finished = subprocess.run([node, str(_VALIDATOR), *arguments], cwd=folder, capture_output=True, text=True, check=False)
    if finished.returncode not in (0, 1):
        raise RuntimeError(f"asl-validator did not run: {finished.stderr}")
    return finished.stderr if finished.returncode else ""


def _example(substitution: re.Match[str]) -> str:
    return _ARN if substitution[1].endswith("Arn") else _CONCURRENCY


def main() -> int:
    errors = errors_in(sorted(FOLDER.glob("*.asl.yaml")))
    if errors:
        print(errors.rstrip())
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
