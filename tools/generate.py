"""Writes the committed files that follow from other files, so that each fact has one place.

The OpenAPI document comes from the routes of every function, docs/api.md from that document, the default schema from
examples/schemas/streaming.yaml, the feature schema's JSON Schema from its pydantic model, the definitions of the state machines from
tools/machines, and the alarms and the dashboard of template.yaml from tools/monitoring.py. `--check` writes nothing and fails if a file
is out of date.
"""

import argparse
import json
import os
import sys
from pathlib import Path

from retainstream.engine.schema import FeatureSchema
from retainstream.engine.schema.documents import read_schema
from tools.api_reference import api_reference
from tools.expand import TEMPLATE
from tools.machines import definition_files
from tools.monitoring import monitored
from tools.openapi_document import ROOT, openapi_document

PACKAGE = ROOT / "layers/core/retainstream"


def generated_files() -> dict[Path, str]:
    """Every generated file with its text."""
    default = read_schema(ROOT / "examples/schemas/streaming.yaml")
    document = openapi_document()
    return {
        PACKAGE / "engine/schema/default.json": default.model_dump_json(indent=1, exclude_defaults=True) + "\n",
        ROOT / "docs/feature-schema.json": json.dumps(FeatureSchema.model_json_schema(), indent=1) + "\n",
        TEMPLATE: monitored(TEMPLATE.read_text()),
        **definition_files(),
        PACKAGE / "http/openapi.json": json.dumps(document, indent=1, sort_keys=True) + "\n",
        ROOT / "docs/api.md": api_reference(json.loads(json.dumps(document, sort_keys=True))),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a file is out of date")
    check = parser.parse_args().check
    os.environ.setdefault("AWS_DEFAULT_REGION", "eu-west-1")
    stale = {path: text for path, text in generated_files().items() if not path.exists() or path.read_text() != text}
    for path, text in stale.items():
        print(f"{'out of date' if check else 'written'}: {path.relative_to(ROOT)}")
        if not check:
            path.write_text(text)
    if check and stale:
        print("Run make generate and commit its files.")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
