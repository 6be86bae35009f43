"""The documentation of the API: its OpenAPI document, and Swagger UI around it."""

import json
import re
from functools import cache
from importlib.resources import files

from aws_lambda_powertools.event_handler import Response

_JAVASCRIPT = "text/javascript; charset=utf-8"
_ASSETS = {"swagger-ui-bundle.min.js": _JAVASCRIPT, "swagger-ui.min.css": "text/css; charset=utf-8"}
_START = """SwaggerUIBundle({
  url: "/api/openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  filter: true,
  tryItOutEnabled: true,
  presets: [SwaggerUIBundle.presets.apis],
});
"""
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>RetainStream API</title>
<link rel="stylesheet" href="/api/docs/swagger-ui.min.css">
</head>
<body>
<div id="swagger-ui">Loading the documentation …</div>
<script src="/api/docs/swagger-ui-bundle.min.js"></script>
<script src="/api/docs/start.js"></script>
</body>
</html>
"""
_PAGE_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "frame-ancestors 'none'",
    )
)


@cache
def openapi_json() -> str:
    """The committed OpenAPI document of all modules."""
    return files("retainstream.http").joinpath("openapi.json").read_text("utf-8")


@cache
def _methods_by_path() -> list[tuple[re.Pattern[str], set[str]]]:
    paths: dict[str, dict[str, object]] = json.loads(openapi_json())["paths"]
    return [
        (
            re.compile(re.sub(r"\{\w+\}", "[^/]+", re.escape(path).replace(r"\{", "{").replace(r"\}", "}"))),
            {name.upper() for name in methods},
        )
        for path, methods in sorted(paths.items(), key=lambda item: ("{" in item[0], item[0]))
    ]


def documented_methods(path: str) -> set[str]:
    """The methods that a path accepts, in whichever module; empty for an unknown path."""
    return next((methods for pattern, methods in _methods_by_path() if pattern.fullmatch(path)), set())


def docs_page() -> Response[str]:
    """Swagger UI over the OpenAPI document, with scripts and styles of its own."""
    return Response(200, "text/html; charset=utf-8", _PAGE, {"Content-Security-Policy": _PAGE_POLICY})


@cache
def _asset(name: str) -> str:
    if name == "start.js":
        return _START
    return files("aws_lambda_powertools.event_handler.openapi.swagger_ui").joinpath(name).read_text("utf-8")


def docs_asset(name: str) -> Response[str] | None:
    """A file that the page loads, or None."""
    kind = _JAVASCRIPT if name == "start.js" else _ASSETS.get(name)
    return Response(200, kind, _asset(name), {"Cache-Control": "public, max-age=86400"}) if kind else None
