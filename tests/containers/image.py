"""The image that stands in for AWS's: Debian's Python 3.13, and what Lambda's runtime brings."""

import io
import shutil
import tarfile
from pathlib import Path

from tests.containers.engine import Engine
from tools import as_lambda

NAME = "public.ecr.aws/lambda/python:3.13-x86_64"
"""What sam local looks for, and would fetch if it were not there."""

_RUNTIME = "/var/runtime"
PYTHONPATH = f"/var/task:/opt/python/lib/python3.13/site-packages:/opt/python:{_RUNTIME}"
"""Where Lambda's Python looks for modules, before the standard library."""
_BOOTSTRAP = f"""#!/bin/sh
export PYTHONPATH={PYTHONPATH}
exec python3.13 -m awslambdaric "$_HANDLER"
"""


def make_image(engine: Engine, root: Path, aws: str, folder: Path) -> None:
    """Give the engine the image: the archive `root` of a file system, the runtime's packages, and a word where AWS is.

    `aws` is the address that the SDK in the containers calls; no function's environment has to name it. `folder` is for the work.
    """
    archive = folder / "image.tar"
    shutil.copyfile(root, archive)
    with tarfile.open(archive, "a", dereference=True) as image:
        image.add(as_lambda.runtime_packages(), f".{_RUNTIME}")
        bootstrap = tarfile.TarInfo(f".{_RUNTIME}/bootstrap")
        bootstrap.size, bootstrap.mode = len(_BOOTSTRAP), 0o755
        image.addfile(bootstrap, io.BytesIO(_BOOTSTRAP.encode()))
    settings = ["ENV LAMBDA_TASK_ROOT=/var/task", f"ENV AWS_ENDPOINT_URL={aws}", "WORKDIR /var/task"]
    with archive.open("rb") as given:
        engine.docker("import", *(part for setting in settings for part in ("--change", setting)), "-", NAME, given=given)
    archive.unlink()
