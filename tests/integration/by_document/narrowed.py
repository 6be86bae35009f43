"""The OpenAPI document as one deployment narrows it: what the feature schema in force and the day decide is written into it.

So that what it calls valid has to be accepted and what it calls invalid has to be refused.
"""

import base64
import copy
import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import schemathesis
from hypothesis import strategies as st

from retainstream.engine.schema.customer_id import id_problem
from retainstream.engine.schema.spelling import cleaned

_LARGEST = 2**53
_SMALLEST = 1e-100
_NULL = {"type": "null"}
_OR_NULL = {name: {"anyOf": [{"type": "string", "format": name}, _NULL]} for name in ("past-day", "earlier-day", "past-moment")}
_NOW = datetime.now(UTC)
_PAST_DAYS = st.dates(max_value=_NOW.date() - timedelta(days=1), min_value=_NOW.date() - timedelta(days=15_000)).map(str)
_EARLIER_DAYS = st.dates(max_value=_NOW.date() - timedelta(days=15_001), min_value=_NOW.date() - timedelta(days=20_000)).map(str)
_PAST_MOMENTS = st.one_of(_PAST_DAYS, _PAST_DAYS.map(lambda day: f"{day}T12:34:56Z"), _PAST_DAYS.map(lambda day: f"{day}T00:00:00+01:00"))
_GOOD_PASSWORDS = st.integers(0, 2**32).map(lambda number: hashlib.sha256(str(number).encode()).hexdigest()[:24])

_PRINTABLE = st.text(st.characters(codec="utf-8", categories=("L", "N", "P")), min_size=1, max_size=100)
_CUSTOMER_IDS = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), min_size=1, max_size=40).filter(
    lambda text: id_problem(cleaned(text)) is None
)


def narrowed(document: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    """The document for the feature schema that the deployment answers at /api/model/schema."""
    schemathesis.openapi.format("past-day", _PAST_DAYS)
    schemathesis.openapi.format("earlier-day", _EARLIER_DAYS)
    schemathesis.openapi.format("past-moment", _PAST_MOMENTS)
    schemathesis.openapi.format("good-password", _GOOD_PASSWORDS)
    schemathesis.openapi.format("printable", _PRINTABLE)
    schemathesis.openapi.format("customer-id", _CUSTOMER_IDS)
    made: dict[str, Any] = copy.deepcopy(dict(document))
    shapes = made["components"]["schemas"]
    columns = schema["columns"]
    group = next(column for column in columns if column["name"] == schema["group"])
    for path in made["paths"].values():
        for operation in path.values():
            for parameter in operation.get("parameters", ()):
                if parameter["name"] == "plan":
                    parameter["schema"] = {"type": "string", "enum": group["levels"]}
    row = _row(columns)
    shapes["Features"]["properties"]["features"] = row
    shapes["GenerateRequest"]["properties"]["rows"] = {"type": "array", "items": row, "minItems": 1, "maxItems": 100}
    shapes["WhatIfRequest"]["properties"]["features"] = row
    shapes["WhatIfRequest"]["properties"]["changes"] = {**row, "required": [], "minProperties": 1}
    one_of_each_kind = {column["kind"]: column for column in columns}.values()
    shapes["CriterionRequest"] = {"anyOf": [criterion for column in one_of_each_kind for criterion in _criteria(column)]}
    for name in ("Registration", "NewUser"):
        shapes[name]["properties"]["name"] = {"anyOf": [{"type": "string", "format": "printable", "minLength": 1, "maxLength": 100}, _NULL]}
    for name, field in (("Registration", "password"), ("NewUser", "password"), ("PasswordChange", "new_password")):
        shapes[name]["properties"][field] = {"type": "string", "format": "good-password", "minLength": 1}
    shapes["OutcomeRequest"] = _either(
        shapes["OutcomeRequest"],
        {"churned": {"const": True}, "date": _OR_NULL["past-day"], "left_after": _OR_NULL["earlier-day"]},
        {"churned": {"const": False}, "date": _OR_NULL["past-day"], "left_after": _NULL},
    )
    shapes["ImportRequest"] = _either(
        shapes["ImportRequest"],
        {"as_of": _OR_NULL["past-moment"], "features_as_of": _NULL, "outcomes_as_of": _NULL},
        {"as_of": _NULL, "features_as_of": _OR_NULL["past-moment"], "outcomes_as_of": _OR_NULL["past-moment"]},
    )
    shapes["DeliveryRequest"]["properties"]["as_of"] = _OR_NULL["past-moment"]
    for name in ("ImportPreviewRequest", "DraftRequest"):
        shapes[name]["properties"] |= {"encoding": {"enum": [None, "utf-8", "windows-1252"]}, "sheet": _NULL}
    shapes["ImportPreviewRequest"]["properties"]["content"] = {
        "const": _in_base64(["customer_id", *(column["name"] for column in columns)])
    }
    shapes["NewLevels"]["properties"]["column"] = {"type": "string", "const": group["name"]}
    customer_id = {"type": "string", "format": "customer-id", "minLength": 1, "maxLength": 128}
    shapes["GenerateRequest"]["properties"]["customer_ids"]["items"] = customer_id
    shapes["WhatIfRequest"]["properties"]["customer_id"] = customer_id
    drafted = shapes["DraftRequest"]["properties"]
    drafted["content"] = {
        "const": _in_base64(["customer_id", "plan", "churned"], *([f"c{n}", "ab"[n % 2], "ny"[n % 3 > 1]] for n in range(99)))
    }
    drafted |= {name: {"enum": [header, None]} for name, header in (("label", "churned"), ("id", "customer_id"))}
    drafted["kinds"] = {"type": "object", "properties": {"plan": {"const": "category"}}, "additionalProperties": False}
    return made


def _in_base64(*records: list[str]) -> str:
    return base64.b64encode("".join(",".join(record) + "\n" for record in records).encode()).decode()


def _either(shape: Mapping[str, Any], *properties: Mapping[str, Any]) -> dict[str, Any]:
    """The shape with one set of properties or another, where the values of a field decide those of its neighbours."""
    return {"anyOf": [{**shape, "properties": {**shape["properties"], **changed}} for changed in properties]}


def _row(columns: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {column["name"]: _value(column) for column in columns},
        "required": [column["name"] for column in columns if not column["missing"]],
        "additionalProperties": False,
    }


def _value(column: dict[str, Any]) -> dict[str, Any]:
    known = _known(column)
    return {"anyOf": [known, _NULL]} if column["missing"] else known


def _known(column: dict[str, Any]) -> dict[str, Any]:
    match column["kind"]:
        case "category":
            return {"type": "string", "enum": column["levels"]}
        case "integer":
            return {"type": "integer", "minimum": column["min"], "maximum": column["max"]}
        case "number":
            return {"anyOf": [{"const": 0}, {"type": "number", "minimum": max(column["min"], _SMALLEST), "maximum": column["max"]}]}
    raise ValueError(f"say how a column of the kind {column['kind']} narrows the document")


def _criteria(column: dict[str, Any]) -> list[dict[str, Any]]:
    category = column["kind"] == "category"
    value = {"type": "string", "enum": column["levels"]} if category else {"type": "number", "minimum": -_LARGEST, "maximum": _LARGEST}
    single = ["eq", "ne"] if category else ["eq", "ne", "lt", "le", "gt", "ge"]
    return [
        _criterion(column["name"], single, value, needed=True),
        _criterion(column["name"], ["in"], {"type": "array", "items": value, "minItems": 1, "maxItems": 50}, needed=True),
        _criterion(column["name"], ["missing"], {"type": ["boolean", "null"]}, needed=False),
    ]


def _criterion(column: str, operators: list[str], value: dict[str, Any], *, needed: bool) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {"column": {"type": "string", "const": column}, "op": {"type": "string", "enum": operators}, "value": value},
        "required": ["column", "op", *(["value"] if needed else [])],
        "additionalProperties": False,
    }
