"""docs/api.md: the OpenAPI document as a page for people."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from retainstream.http.problems import TITLES

type Document = Mapping[str, Any]

_MODULES = {
    "health": "Service",
    "auth": "Accounts",
    "dashboard": "Dashboard",
    "customers": "Customers",
    "predictions": "Predictions",
    "model": "Model",
    "drafts": "Drafts",
}
_METHODS = ("get", "post", "put", "patch", "delete")
_LIMITS = {
    "minimum": "≥ {}",
    "maximum": "≤ {}",
    "minLength": "at least {} characters",
    "maxLength": "up to {} characters",
    "minItems": "at least {}",
    "maxItems": "up to {}",
    "maxProperties": "up to {}",
    "pattern": "`{}`",
}
_WHEN = {
    "invalid-request": "a field, parameter or header is wrong; `errors` names each",
    "malformed-request": "the body is not JSON in UTF-8, names a field twice, or is nested too deep",
    "bad-cursor": "a cursor of another list, with other filters, or altered",
    "unauthenticated": "no token, or one that is expired, revoked or wrong",
    "wrong-credentials": "sign-in with an unknown account or a wrong password",
    "forbidden": "the role is too low",
    "password-change-required": "an administrator chose the password, and the user has not changed it yet (`POST /api/auth/password`)",
    "registration-closed": "self-registration is not open to this e-mail address",
    "not-found": "the path, customer, run or version does not exist",
    "method-not-allowed": "the path has other methods, which `Allow` lists",
    "conflict": "the state does not allow it; `detail` says why",
    "too-large": "the body has more than 1,000,000 bytes, or more than its route allows",
    "unsupported-media-type": "the body's `Content-Type` is missing or not `application/json`",
    "too-many-requests": "the rate limit is reached, or there were too many wrong passwords; `Retry-After` in seconds",
    "internal-error": "a fault of the service; report the request id to its operator",
    "unavailable": "a table, the bucket or the key did not answer; `Retry-After` in seconds",
    "no-model": "no model is trained yet; `Retry-After` in seconds",
}
_INTRODUCTION = """\
<!-- Written by `make generate` from the OpenAPI document; change the routes, not this page. -->

# The API

All routes of RetainStream {version}, from the OpenAPI document that the service publishes at `GET /api/openapi.json`. `/api/docs` has a
form for each route. There is a client for JavaScript ([front-end.md](front-end.md)) and a command for the shell ([cli.md](cli.md)).

- Bodies and answers are JSON. The result is in `data`; lists add `page`, whose `next` is the `cursor` of the next page, or null at the
  end. Send a cursor with the same filters as its page.
- All routes except the public ones need `Authorization: Bearer <token>`; `POST /api/auth/login` returns a token for 24 hours.
- Roles: `viewer` < `analyst` < `admin`. Each role includes the permissions of the roles before it.
- Routes that start a run answer 202 and accept the header `Idempotency-Key`: the same key with the same body from the same user starts the
  run once. A key that was used with another body within a day is refused with 409.
- One training, one recount and one scoring of all customers with the model in service run at a time. While one is under way, a request for
  the same gets that run, with `already_running`. A user may start `RateLimitRuns` runs in 15 minutes; more are refused with 429 and
  `Retry-After`.
- Counted routes return `RateLimit-Limit`, `RateLimit-Remaining` and `RateLimit-Reset` (seconds until the quarter of an hour ends).
- Unknown and repeated query parameters are refused, and so are unknown fields of a body.
- A path with `GET` does not accept `HEAD`. A wrong method is answered with 405 and `Allow`; so is `OPTIONS`, unless it is a preflight.
- Answers have `Cache-Control: no-store` unless their route says otherwise.

## Errors

Errors are problem documents (RFC 9457, `application/problem+json`) with `type`, `title`, `status`, `request_id`, often `detail`, and
`errors` with `field` and `detail` for each wrong field. `type` is `urn:retainstream:problem:` followed by one of these names. The names
never change; the texts may.
"""


def api_reference(document: Document) -> str:
    """The page, in Markdown, for an OpenAPI 3.1 document whose operations state `x-role`."""
    lines = [_INTRODUCTION.format(version=document["info"]["version"])]
    lines += _table(
        ("status", "name", "when"),
        [(str(int(status)), f"`{name}`", _WHEN[name]) for name, (status, _) in sorted(TITLES.items(), key=_rank)],
    )
    routes = [
        (method, path, operation)
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        if method in _METHODS
    ]
    lines += ["", "## Routes", ""]
    lines += _table(
        ("route", "purpose", "role"),
        [
            (f"[`{method.upper()} {path}`](#{_anchor(method, path)})", operation["summary"], _role(operation))
            for tag in _MODULES
            for method, path, operation in routes
            if tag in operation["tags"]
        ],
    )
    for tag, title in _MODULES.items():
        lines += ["", f"## {title}"]
        for method, path, operation in routes:
            if tag in operation["tags"]:
                lines += _operation(method, path, operation, document)
    lines += [
        "",
        "## Shapes",
        "",
        "The objects of bodies and answers. A field without “optional” is always present; in answers it may be null",
    ]
    lines += ["if its type says so."]
    for name, shape in sorted(_named_shapes(document).items(), key=lambda item: item[0].lower()):
        lines += _shape(name, shape, document)
    return "\n".join(lines) + "\n"


def _rank(item: tuple[str, tuple[int, str]]) -> tuple[int, str]:
    return int(item[1][0]), item[0]


def _role(operation: Document) -> str:
    role = str(operation["x-role"])
    return "anyone" if role == "public" else role


def _anchor(method: str, path: str) -> str:
    return re.sub(r"[^a-z0-9_ -]", "", f"{method} {path}".lower()).replace(" ", "-")


def _operation(method: str, path: str, operation: Document, document: Document) -> list[str]:
    counted = " · not counted by the rate limit" if operation.get("x-uncounted") else ""
    if own_limit := operation.get("x-own-limit"):
        counted = f" · {own_limit} requests from an address in 15 minutes, counted apart from its others"
    lines = ["", f"### {method.upper()} {path}", "", f"{operation['summary']}. {operation.get('description', '')}".rstrip(), ""]
    lines += [f"Who: **{_role(operation)}**{counted}", ""]
    if operation.get("parameters"):
        rows = [
            (f"`{one['name']}`", one["in"], _type(one["schema"], document), _meaning(one, one["schema"])) for one in operation["parameters"]
        ]
        lines += [*_table(("parameter", "in", "type", ""), rows), ""]
    body = operation.get("requestBody")
    if body:
        most = f", up to {operation['x-largest-body']:,} bytes" if "x-largest-body" in operation else ""
        lines += [f"Body: {_type(body['content']['application/json']['schema'], document)}{most}", ""]
    lines += [f"- {status}: {_answer(answer, document)}" for status, answer in operation["responses"].items() if status[0] == "2"]
    lines.append("- " + ", ".join(f"{int(TITLES[name][0])} `{name}`" for name in operation["x-problems"]))
    example = _example(body["content"]["application/json"]["schema"], document) if body else None
    if example is not None:
        lines += [
            "",
            "```http",
            f"{method.upper()} {path}",
            "Content-Type: application/json",
            "",
            json.dumps(example, ensure_ascii=False),
            "```",
        ]
    return lines


def _answer(answer: Document, document: Document) -> str:
    content = answer.get("content", {}).get("application/json")
    if content is None or content["schema"].get("type") == "null":
        return "no body"
    schema = content["schema"]
    parts = [_data_of(one, document) for one in schema.get("anyOf", [schema])]
    also = ", or `text/html`" if "text/html" in answer["content"] else ""
    return " or ".join(parts) + also


def _data_of(schema: Document, document: Document) -> str:
    if "$ref" not in schema:
        return _type(schema, document)
    name = str(schema["$ref"]).rpartition("/")[2]
    shape = document["components"]["schemas"][name]
    if name.startswith(("Data_", "Listing_")):
        page = ", with `page`" if "page" in shape["properties"] else ""
        return f"`data` is {_type(shape['properties']['data'], document)}{page}"
    return _link(name)


def _named_shapes(document: Document) -> dict[str, Document]:
    return {
        name: shape
        for name, shape in document["components"]["schemas"].items()
        if not name.startswith(("Data_", "Listing_")) and (shape.get("properties") or shape.get("enum"))
    }


def _shape(name: str, shape: Document, document: Document) -> list[str]:
    lines = ["", f"### {name.strip('_')}", ""]
    if shape.get("description"):
        lines += [" ".join(str(shape["description"]).split()), ""]
    if shape.get("enum"):
        return [*lines, "One of " + ", ".join(f"`{value}`" for value in shape["enum"]) + "."]
    needed = shape.get("required", ())
    rows = []
    for field, schema in shape["properties"].items():
        optional = "" if field in needed else "optional"
        rows.append((f"`{field}`", _type(schema, document), _joined(optional, _meaning(schema, schema))))
    return [*lines, *_table(("field", "type", ""), rows)]


def _link(name: str) -> str:
    shown = name.strip("_")
    return f"[{shown}](#{shown.lower()})"


def _type(schema: Document, document: Document) -> str:
    if "$ref" in schema:
        name = str(schema["$ref"]).rpartition("/")[2]
        shape = document["components"]["schemas"][name]
        return _link(name) if name in _named_shapes(document) else _type(shape, document)
    if "anyOf" in schema or "oneOf" in schema:
        return " or ".join(dict.fromkeys(_type(one, document) for one in schema.get("anyOf") or schema["oneOf"]))
    if "const" in schema:
        return f"`{schema['const']}`"
    if "enum" in schema:
        return " or ".join(f"`{value}`" if value else "empty" for value in schema["enum"])
    kind = schema.get("type", "any value")
    if isinstance(kind, list):
        return " or ".join(kind)
    if kind == "array":
        return f"list of {_type(schema.get('items', {}), document)}"
    if kind == "object":
        values = schema.get("additionalProperties")
        return f"object of {_type(values, document)} by name" if isinstance(values, dict) and values else "object"
    return str(schema.get("format", kind))


def _meaning(stated: Document, schema: Document) -> str:
    limits: list[str] = []
    for one in (schema, *(part for part in schema.get("anyOf", ()) if part.get("type") != "null")):
        limits += [text.format(_number(one[key])) for key, text in _LIMITS.items() if key in one and (key, one[key]) != ("minLength", 1)]
    default = schema.get("default")
    fallback = f"default `{json.dumps(default, ensure_ascii=False)}`" if default not in (None, "", [], {}) else ""
    required = "required" if stated.get("required") is True and stated.get("in") != "path" else ""
    return _joined(" ".join(str(stated.get("description", "")).split()), required, ", ".join(limits), fallback)


def _number(limit: object) -> str:
    return f"{int(limit):,}" if isinstance(limit, float) and limit.is_integer() else str(limit)


def _joined(*parts: str) -> str:
    return "; ".join(part for part in parts if part)


def _example(schema: Document, document: Document) -> Any:
    if "$ref" in schema:
        return _example(document["components"]["schemas"][str(schema["$ref"]).rpartition("/")[2]], document)
    if schema.get("examples"):
        return schema["examples"][0]
    if "example" in schema:
        return schema["example"]
    if schema.get("properties"):
        fields = {name: _example(one, document) for name, one in schema["properties"].items()}
        present = {name: value for name, value in fields.items() if value is not None}
        return present if present and set(schema.get("required", ())) <= present.keys() else None
    if schema.get("type") == "array":
        one = _example(schema.get("items", {}), document)
        return None if one is None else [one]
    return next((example for part in schema.get("anyOf", ()) if (example := _example(part, document)) is not None), None)


def _table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [" | ".join(("", *headers, "")).strip(), "|" + "---|" * len(headers)]
    return [*lines, *("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows)]
