"""Reads schema documents, in YAML or JSON, and words their faults."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from retainstream.engine.schema.feature_schema import FeatureSchema

if TYPE_CHECKING:
    import yaml

_SHOWN = 20
_LARGEST = 4_000_000
_PLAIN_TYPES = {  # the values YAML 1.2 knows; `no` and `2026-01-31` stay text
    "tag:yaml.org,2002:bool": r"^(?:true|True|TRUE|false|False|FALSE)$",
    "tag:yaml.org,2002:int": r"^[-+]?[0-9]+$",
    "tag:yaml.org,2002:float": r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$",
    "tag:yaml.org,2002:null": r"^(?:~|null|Null|NULL|)$",
}
_PATTERNS = {
    r"^[A-Za-z][A-Za-z0-9_]{0,62}$": "must be a letter, then letters, digits and _ (give a file's header as source)",
    r"^[a-z][a-z0-9_-]{0,40}$": "must be a lower-case letter, then letters, digits, _ and -",
    r"^[A-Z]{3}$": "must be a currency code such as USD",
    r"^(?:[A-Za-z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9_+-]+)*)?$": "must be a time zone such as Europe/Berlin",
}


class UnreadableSchema(ValueError):
    """The document is not a feature schema. `problems` holds a sentence for each fault, with the line where it is known."""

    def __init__(self, source: str, problems: Sequence[str]) -> None:
        self.source = source
        self.problems = list(problems)
        super().__init__(f"{source}: {'; '.join(self.problems)}")


def read_schema(path: Path | str) -> FeatureSchema:
    """The schema in a .yaml, .yml or .json file.

    Raises:
        UnreadableSchema: the file does not exist, or does not hold a schema.
    """
    path = Path(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UnreadableSchema(str(path), [f"cannot be read: {(error.strerror or 'unknown reason').lower()}"]) from error
    if len(content) > _LARGEST:
        raise UnreadableSchema(str(path), [f"is larger than {_LARGEST // 1_000_000} MB; is it the data rather than the schema?"])
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableSchema(str(path), ["is not UTF-8 text; save it as UTF-8"]) from error
    return schema_from_text(text, source=str(path))


def schema_from_text(text: str, source: str = "schema") -> FeatureSchema:
    """The schema in a YAML or JSON text; `source` names it in messages.

    YAML is read by the rules of version 1.2: yes, no and dates are text. JSON needs no YAML package.

    Raises:
        UnreadableSchema
    """
    if text.lstrip().startswith("{"):
        try:
            return FeatureSchema.model_validate_json(text)
        except ValidationError as error:
            raise UnreadableSchema(source, list(_sentences(error, None))) from error
    return _from_yaml(text, source)


def _from_yaml(text: str, source: str) -> FeatureSchema:
    import yaml

    loader = None
    try:
        loader = _loader(text)
        node = loader.get_single_node()
        if not isinstance(node, yaml.MappingNode):
            raise UnreadableSchema(source, ["holds no schema; see docs/feature-schema.md for an example"])
        repeated = list(_repeated_keys(node))
        if repeated:
            raise UnreadableSchema(source, repeated)
        document = loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise UnreadableSchema(source, [f"{place}not valid YAML: {error.problem or error.context}"]) from error
    except (yaml.YAMLError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else "it contains a character that YAML does not allow"
        raise UnreadableSchema(source, [f"not valid YAML: {reason}"]) from error
    finally:
        if loader:
            loader.dispose()
    try:
        return FeatureSchema.model_validate(document)
    except ValidationError as error:
        raise UnreadableSchema(source, list(_sentences(error, node))) from error


def _loader(text: str) -> "yaml.SafeLoader":
    import re

    import yaml

    class Loader(yaml.SafeLoader):
        yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 — as in the base class

        def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
            if self.check_event(yaml.AliasEvent):
                alias = self.peek_event()  # type: ignore[no-untyped-call]
                raise yaml.composer.ComposerError(None, None, "a schema may not use aliases (*)", alias.start_mark)
            return super().compose_node(parent, index)

    for tag, pattern in _PLAIN_TYPES.items():
        Loader.add_implicit_resolver(tag, re.compile(pattern), None)
    return Loader(text)


def _repeated_keys(node: "yaml.Node") -> Iterator[str]:
    import yaml

    if isinstance(node, yaml.MappingNode):
        seen = set()
        for key, value in node.value:
            if key.value in seen:
                yield f"line {key.start_mark.line + 1}: {key.value} occurs twice"
            seen.add(key.value if isinstance(key.value, str) else "")
            yield from _repeated_keys(value)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            yield from _repeated_keys(value)


def _sentences(error: ValidationError, document: "yaml.Node | None") -> Iterator[str]:
    faults = error.errors(include_url=False)
    for fault in faults[:_SHOWN]:
        line, place = _place(fault["loc"], document)
        message = _in_plain_words(fault["type"], fault["msg"])
        yield ": ".join(part for part in (f"line {line}" if line else "", "" if message.startswith(place) else place, message) if part)
    if len(faults) > _SHOWN:
        yield f"and {len(faults) - _SHOWN} more"


def _in_plain_words(kind: str, message: str) -> str:
    return {
        "missing": "is required",
        "extra_forbidden": "is not a field of a schema; see docs/feature-schema.md",
        "union_tag_invalid": "when must be subscription-ended or no-event",
        "union_tag_not_found": "when is required: subscription-ended or no-event",
        "string_type": "must be text; put quotes around it",
        "string_pattern_mismatch": _PATTERNS.get(message.partition("'")[2].rstrip("'"), message),
    }.get(kind, message.removeprefix("Value error, ").replace("Input should", "should"))


def _place(location: tuple[int | str, ...], document: "yaml.Node | None") -> tuple[int, str]:
    """The line of a fault (0 if not known) and its place in words: "column Contract, levels"."""
    import contextlib

    line, words, node = 0, [], document
    for step in location:
        child = None
        if node is not None:
            with contextlib.suppress(TypeError, ValueError, IndexError, KeyError, AttributeError):
                child = _child(node, step)
        if child is not None:
            line = child[0]
        node = child[1] if child is not None else None
        words.append(f"{int(step) + 1}." if isinstance(step, int) else step)
    if len(words) > 1 and location[0] == "columns":
        words[:2] = [f"column {_name_of(document, location[1]) or words[1].rstrip('.')}"]
    return line, ", ".join(words)


def _child(node: "yaml.Node", step: int | str) -> "tuple[int, yaml.Node] | None":
    if isinstance(step, int):
        child = node.value[step]
        return child.start_mark.line + 1, child
    return next(((key.start_mark.line + 1, value) for key, value in node.value if key.value == step), None)


def _name_of(document: "yaml.Node | None", position: int | str) -> str:
    columns = next((value for key, value in document.value if key.value == "columns"), None) if document is not None else None
    if columns is None or not isinstance(position, int):
        return ""
    return next((str(value.value) for key, value in columns.value[position].value if key.value == "name"), "")
