"""Writes the committed files that come from others, so that each fact has one place.

The OpenAPI document comes from the routes of every function, docs/api.md from that document, the default schema from
examples/schemas/streaming.yaml, the feature schema's JSON Schema from its pydantic model, and the scoring machine for very large bases
from the other one. `--check` writes nothing and fails where a file is out of date.
"""

import argparse
import importlib.util
import inspect
import json
import os
import sys
from pathlib import Path
from typing import Any

from aws_lambda_powertools.event_handler.openapi.merge import OpenAPIMerge
from aws_lambda_powertools.event_handler.openapi.models import HTTPBearer, SecurityScheme

from local.api_reference import api_reference
from local.distributed import TARGET, distributed_text
from retainstream import __version__
from retainstream.http import Api
from retainstream.schema import FeatureSchema
from retainstream.schema.documents import read_schema

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "layers/core/retainstream"
MODULES = ("auth", "dashboard", "customers", "predictions", "model")

_PROBLEM: dict[str, Any] = {
    "type": "object",
    "title": "Problem",
    "description": "An RFC 9457 problem document",
    "required": ["type", "title", "status", "request_id"],
    "properties": {
        "type": {"type": "string", "description": "Stable name of the problem: urn:retainstream:problem:…"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "request_id": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "detail"],
                "properties": {"field": {"type": "string"}, "detail": {"type": "string"}},
            },
        },
    },
}


def function_api(name: str) -> Api:
    """The resolver of one function, loaded by path."""
    specification = importlib.util.spec_from_file_location(f"generate_{name}", ROOT / "functions" / name / "app.py")
    if specification is None or specification.loader is None:
        raise FileNotFoundError(name)
    module = importlib.util.module_from_spec(specification)
    sys.modules[specification.name] = module
    specification.loader.exec_module(module)
    app: Api = module.app
    return app


def openapi_document() -> dict[str, Any]:
    """One OpenAPI document for all modules."""
    schemes: dict[str, SecurityScheme] = {"token": HTTPBearer(bearerFormat="JWT", description="The token /api/auth/login gives")}
    merge = OpenAPIMerge(
        title="RetainStream",
        version=__version__,
        description="Who is about to leave, why, what it is worth, and what to do about it.",
        on_conflict="error",
    )
    shapes: dict[str, Any] = {}
    for name in MODULES:
        app = function_api(name)
        module = json.loads(app.get_openapi_json_schema(security_schemes=schemes))
        for route in app.stated_routes:
            for operation in module["paths"].get(route.openapi_path, {}).values():
                if operation["summary"] == route.summary:
                    operation["description"] = " ".join((inspect.getdoc(route.func) or "").split())
        for shape, definition in module["components"]["schemas"].items():
            if shapes.setdefault(shape, definition) != definition:
                raise ValueError(f"two modules answer different shapes under the name {shape}; rename one")
        merge.add_schema(module)
    document = merge.get_openapi_schema()
    document.pop("servers", None)
    document["components"]["securitySchemes"] = {
        name: scheme.model_dump(mode="json", by_alias=True, exclude_none=True) for name, scheme in schemes.items()
    }
    problem = {
        "description": "A problem document",
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    for path in document["paths"].values():
        for operation in path.values():
            answers = {str(status): answer for status, answer in operation["responses"].items() if str(status) not in ("422", "500")}
            operation["responses"] = {**answers, "default": problem}
    schemas = document["components"]["schemas"]
    for name in ("HTTPValidationError", "ResponseValidationError", "ValidationError"):
        schemas.pop(name, None)
    schemas["Problem"] = _PROBLEM
    return document


def generated_files() -> dict[Path, str]:
    """Every generated file with the text it ought to have."""
    default = read_schema(ROOT / "examples/schemas/streaming.yaml")
    document = openapi_document()
    return {
        PACKAGE / "schema/default.json": default.model_dump_json(indent=1, exclude_defaults=True) + "\n",
        ROOT / "docs/feature-schema.json": json.dumps(FeatureSchema.model_json_schema(), indent=1) + "\n",
        TARGET: distributed_text(),
        PACKAGE / "http/openapi.json": json.dumps(document, indent=1, sort_keys=True) + "\n",
        ROOT / "docs/api.md": api_reference(json.loads(json.dumps(document, sort_keys=True))),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail where a file is out of date")
    check = parser.parse_args().check
    os.environ.setdefault("AWS_DEFAULT_REGION", "eu-west-1")
    stale = {path: text for path, text in generated_files().items() if not path.exists() or path.read_text() != text}
    for path, text in stale.items():
        print(f"{'out of date' if check else 'written'}: {path.relative_to(ROOT)}")
        if not check:
            path.write_text(text)
    if check and stale:
        print("Run make generate and commit what it writes.")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
