"""The faults that pydantic finds in a request, in words for the people who sent it."""

import re
from collections.abc import Sequence

from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError

from retainstream.engine.schema.customer_id import ADDRESS_IN_WORDS, ADDRESS_PATTERN
from retainstream.engine.schema.validation import FieldError

_SENTENCES = {
    "missing": "is required",
    "extra_forbidden": "is not a known field",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a finite number",
    "string_type": "must be text",
    "list_type": "must be a list",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
}
"""By pydantic's type of error. The other types keep pydantic's words without its own nouns."""
_SUBJECT = re.compile(r"^(?:Value error, |Assertion failed, )?(?:(?:Input|Value|String|List|Dictionary|Set|Tuple) should )?")
_AFTERWARDS = re.compile(r" after validation, not (?:more than )?\d+$")
_ALTERNATIVE = re.compile(
    r"none|bool|str|int|float|constrained-\w+|(?:list|dict|set|tuple|literal|nullable|union|function-\w+|[\w-]+-or-[\w-]+)\[.*\]"
)
_PATTERNS = {ADDRESS_PATTERN: ADDRESS_IN_WORDS, r"^\d{4}-\d{2}-\d{2}$": "must be a date such as 2026-01-31"}


def faults_of(error: RequestValidationError) -> list[FieldError]:
    """Each fault with the name of its field and a sentence that begins with a verb."""
    # A field that may be null has a second fault, that its value is not null.
    faults = [fault for fault in error.errors() if fault["type"] != "none_required"]
    return [
        FieldError(_field(fault["loc"]), _sentence(fault["type"], fault["msg"], fault.get("input"), fault.get("ctx", {}).get("pattern")))
        for fault in faults
    ]


def _field(location: Sequence[str | int]) -> str:
    """The place without the names that pydantic gives to the alternatives of a type."""
    return ".".join(str(step) for step in location if isinstance(step, int) or not _ALTERNATIVE.fullmatch(step))


def _sentence(kind: str, message: str, value: object, pattern: str | None) -> str:
    if kind in _SENTENCES:
        return _SENTENCES[kind]
    if pattern in _PATTERNS:
        return _PATTERNS[pattern]
    sentence = _SUBJECT.sub(lambda subject: "must " if subject[0].endswith("should ") else "", _AFTERWARDS.sub("", message))
    return re.sub(r"\bitems?$", "characters", sentence) if isinstance(value, str) else sentence
