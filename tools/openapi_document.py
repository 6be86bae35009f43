"""The OpenAPI document of all modules, from their routes."""

import importlib.util
import inspect
import json
import sys
from pathlib import Path
from typing import Any

from aws_lambda_powertools.event_handler.openapi.merge import OpenAPIMerge
from aws_lambda_powertools.event_handler.openapi.models import HTTPBearer, SecurityScheme

from retainstream import __version__
from retainstream.http import Api
from tools.links import with_links
from tools.stated_answers import HEADERS, PROBLEM, stated_answers

ROOT = Path(__file__).parents[1]
MODULES = ("auth", "dashboard", "customers", "predictions", "model", "drafts")


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
    """One OpenAPI document for all modules, with every status, header and link of every operation."""
    schemes: dict[str, SecurityScheme] = {"token": HTTPBearer(bearerFormat="JWT", description="The token of /api/auth/login")}
    document = _merged(schemes)
    document.pop("servers", None)
    components = document["components"]
    components["securitySchemes"] = {
        name: scheme.model_dump(mode="json", by_alias=True, exclude_none=True) for name, scheme in schemes.items()
    }
    for name in ("HTTPValidationError", "ResponseValidationError", "ValidationError"):
        components["schemas"].pop(name, None)
    components["schemas"]["Problem"] = PROBLEM
    components["headers"] = HEADERS
    for path in document["paths"].values():
        for operation in path.values():
            operation["responses"], operation["x-problems"] = stated_answers(operation, document)
    return with_links(document)


def _merged(schemes: dict[str, SecurityScheme]) -> dict[str, Any]:
    merge = OpenAPIMerge(
        title="RetainStream",
        version=__version__,
        description="Churn probabilities, with their reasons, the revenue at risk and recommended actions.",
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
    document: dict[str, Any] = merge.get_openapi_schema()
    return document
