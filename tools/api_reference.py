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
    "wrong-credentials": "signing in: no such account, or another password",
    "forbidden": "the role is too low",
    "registration-closed": "registering where it is not open to the address",
    "not-found": "no such path, customer, run or version",
    "method-not-allowed": "`Allow` names the methods there are",
    "conflict": "the state does not allow it; `detail` says why",
    "too-large": "the body has more than 1,000,000 bytes",
    "unsupported-media-type": "a body whose `Content-Type` is not `application/json`, or none",
    "too-many-requests": "over the rate limit, or too many wrong passwords; `Retry-After` in seconds",
    "internal-error": "a fault of ours; give the request id to whoever operates it",
    "unavailable": "a table, the bucket or the key did not answer; `Retry-After` in seconds",
    "no-model": "nothing has been trained yet; `Retry-After` in seconds",
}
_INTRODUCTION = """\
<!-- Written by `make generate` from the OpenAPI document; change the routes, not this page. -->

# The API

Every route of RetainStream {version}, written from the OpenAPI document that the service itself answers at `GET /api/openapi.json`. To
try them with a form: `/api/docs`. For JavaScript there is a client ([front-end.md](front-end.md)), for the shell a command
([cli.md](cli.md)).

- Bodies and answers are JSON. What is asked for is in `data`; lists add `page`, whose `next` is the `cursor` of the next page, null at
  the end. Give a cursor with the same filters as the page it came from.
- Every route but the public ones takes `Authorization: Bearer <token>`; `POST /api/auth/login` gives a token, for 24 hours.
- Roles: `viewer` < `analyst` < `admin`. Each may do all that the one before it may.
- Routes that start a run answer 202 and take the header `Idempotency-Key`: the same key from the same user starts the run once.
- Counted routes answer `RateLimit-Limit`, `RateLimit-Remaining` and `RateLimit-Reset` (seconds until the quarter of an hour ends).
- Query parameters that a path does not know, and those given more than once, are refused, as are fields that a body does not know.
- A path that takes `GET` does not take `HEAD`; a wrong method is answered 405 with `Allow`, `OPTIONS` too unless it is a preflight.
- Every answer has `Cache-Control: no-store` unless said otherwise.

## Errors

Errors are problem documents (RFC 9457, `application/problem+json`): `type`, `title`, `status`, `request_id`, where it helps `detail`, and
`errors` with `field` and `detail` for every field at fault. `type` is `urn:retainstream:problem:` and one of these names; it never
changes, texts may.
"""


def api_reference(document: Document) -> str:
    """The page, in Markdown, for an OpenAPI 3.1 document whose operations state `x-role`."""
    lines = [_INTRODUCTION.format(version=document["info"]["version"])]
    lines += _table(
        ("status", "name", "when"),
        [(str(int(status)), f"`{name}`", _WHEN[name]) for name, (status, _) in sorted(TITLES.items(), key=_rank)],
    )
    found = [
        (method, path, operation)
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        if method in _METHODS
    ]
    lines += ["", "## Routes", ""]
    lines += _table(
        ("route", "what it does", "who"),
        [
            (f"[`{method.upper()} {path}`](#{_anchor(method, path)})", operation["summary"], _who(operation))
            for tag in _MODULES
            for method, path, operation in found
            if tag in operation["tags"]
        ],
    )
    for tag, title in _MODULES.items():
        lines += ["", f"## {title}"]
        for method, path, operation in found:
            if tag in operation["tags"]:
                lines += _operation(method, path, operation, document)
    lines += [
        "",
        "## Shapes",
        "",
        "What bodies and answers are made of. A field without “optional” is always there; in answers it may be null",
    ]
    lines += ["where the type says so."]
    for name, shape in sorted(_named_shapes(document).items(), key=lambda item: item[0].lower()):
        lines += _shape(name, shape, document)
    return "\n".join(lines) + "\n"


def _rank(item: tuple[str, tuple[int, str]]) -> tuple[int, str]:
    return int(item[1][0]), item[0]


def _who(operation: Document) -> str:
    role = str(operation["x-role"])
    return "anyone" if role == "public" else role


def _anchor(method: str, path: str) -> str:
    return re.sub(r"[^a-z0-9_ -]", "", f"{method} {path}".lower()).replace(" ", "-")


def _operation(method: str, path: str, operation: Document, document: Document) -> list[str]:
    counted = "" if not operation.get("x-uncounted") else " · not counted by the rate limit"
    lines = ["", f"### {method.upper()} {path}", "", f"{operation['summary']}. {operation.get('description', '')}".rstrip(), ""]
    lines += [f"Who: **{_who(operation)}**{counted}", ""]
    if operation.get("parameters"):
        rows = [
            (f"`{one['name']}`", one["in"], _type(one["schema"], document), _meaning(one, one["schema"])) for one in operation["parameters"]
        ]
        lines += [*_table(("parameter", "in", "type", ""), rows), ""]
    body = operation.get("requestBody")
    if body:
        lines += [f"Body: {_type(body['content']['application/json']['schema'], document)}", ""]
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
    told = f"default `{json.dumps(default, ensure_ascii=False)}`" if default not in (None, "", [], {}) else ""
    required = "required" if stated.get("required") is True and stated.get("in") != "path" else ""
    return _joined(" ".join(str(stated.get("description", "")).split()), required, ", ".join(limits), told)


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
        given = {name: value for name, value in fields.items() if value is not None}
        return given if given and set(schema.get("required", ())) <= given.keys() else None
    if schema.get("type") == "array":
        one = _example(schema.get("items", {}), document)
        return None if one is None else [one]
    return next((found for part in schema.get("anyOf", ()) if (found := _example(part, document)) is not None), None)


def _table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [" | ".join(("", *headers, "")).strip(), "|" + "---|" * len(headers)]
    return [*lines, *("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows)]
