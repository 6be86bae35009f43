"""The conditions that figures are taken under: processor, cores, load, versions."""

import os
import platform
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from bench.result import Document

PACKAGES = ("numpy", "duckdb", "xgboost-cpu", "shap", "pydantic", "aws-lambda-powertools", "boto3")


def conditions(packages: Iterable[str] = PACKAGES) -> Document:
    """{at, processor, cores (this process may use), memory_gb, system, load (1, 5 and 15 minutes), versions}."""
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "system": f"{platform.system()} {platform.machine()}",
        "load": [round(part, 2) for part in os.getloadavg()],
        "versions": {"python": platform.python_version(), **{name: version(name) for name in packages}},
    }


def _processor() -> str:
    described = Path("/proc/cpuinfo")
    if described.exists():
        for line in described.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
