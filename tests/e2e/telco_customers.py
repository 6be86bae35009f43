"""Synthetic customers of a telephone operator, for tests of the pages with another schema."""

import sys
from pathlib import Path

from retainstream.engine.schema import read_schema
from tests.made_customers import made_rows, write_rows

SCHEMA = Path("examples/schemas/telco.yaml")
_CUSTOMERS = 1200
_DRIVERS = {"Contract": -0.5, "tenure": -0.3, "TechSupport": -0.2}


def write_customers(path: Path) -> None:
    """Write the file and its folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_rows(path, made_rows(read_schema(SCHEMA), _CUSTOMERS, drivers=_DRIVERS))


if __name__ == "__main__":
    write_customers(Path(sys.argv[1]))
