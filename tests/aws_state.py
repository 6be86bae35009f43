"""All that moto keeps of the stack: put aside, put back, and compared but for times and made-up names."""

import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from moto.core.base_backend import BackendDict
from moto.dynamodb.models import dynamodb_backends
from moto.s3.models import FakeMultipart, s3_backends
from moto.sns.models import sns_backends
from moto.stepfunctions.models import stepfunctions_backends

from local.atomic_tables import every_item
from local.wire import attributes
from retainstream.settings import settings

type State = Counter[str]

_ACCOUNT = "123456789012"
_VOLATILE = (
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(\+00:00|Z)?"), "<time>"),
    (re.compile(r"\d{8}T\d{6}Z"), "<stamp>"),
    (re.compile(r"\$argon2[^\"]*"), "<hash>"),
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\b[0-9a-f]{32}\b"), "<id>"),
    (re.compile(r'"marks": {"B": "[^"]*"}|"sk": {"S": "[0-9a-f]{20}"}'), "<mark>"),
    (re.compile(r"\b[0-9A-Za-z]{50,}\b"), "<secret>"),
    (re.compile(r'"(version|done)": {"N": "\d+"}'), "<count>"),
    (re.compile(r"\b1[6-9]\d{8}(\.\d+)?\b"), "<second>"),
    (re.compile(r"(?:imports|deliveries)/recent/\d{15}"), "imports/recent/<time>"),
    (re.compile(r"\b20\d\d-\d\d-\d\d\b"), "<day>"),
)
_FLOAT = re.compile(r"-?\d+\.\d+(e-?\d+)?")


def plain(text: str, *, figures: bool = True) -> str:
    """A text without what is another one each time: times, made-up names, hashes; without fractions either, if not `figures`."""
    for pattern, name in _VOLATILE:
        text = pattern.sub(name, text)
    return text if figures else _FLOAT.sub("<figure>", text)


def _backend(backends: BackendDict[Any], region: str = "eu-west-1") -> Any:
    return backends[_ACCOUNT][region]


@dataclass
class _Aside:
    """What was put aside of one moment."""

    tables: dict[str, Any]
    sequences: dict[str, int]
    objects: dict[str, tuple[Any, bytes]]
    uploads: list[tuple[str, str, Any, dict[int, bytes]]]
    executions: dict[str, list[Any]]
    messages: dict[str, list[Any]]


@dataclass
class AwsState:
    """The tables, the bucket, the executions and the messages of the stack."""

    bucket: str = field(default_factory=lambda: settings().bucket)
    _texts: dict[tuple[int, bool], tuple[Any, str]] = field(default_factory=dict)

    @property
    def _tables(self) -> dict[str, Any]:
        tables: dict[str, Any] = _backend(dynamodb_backends).tables
        return tables

    @property
    def _objects(self) -> Any:
        return _backend(s3_backends, "aws").buckets[self.bucket]

    @property
    def _machines(self) -> list[Any]:
        machines: list[Any] = _backend(stepfunctions_backends).state_machines
        return machines

    @property
    def _topics(self) -> dict[str, Any]:
        topics: dict[str, Any] = _backend(sns_backends).topics
        return topics

    def put_aside(self) -> _Aside:
        bucket = self._objects
        return _Aside(
            tables={name: _copy(table, table.items) for name, table in self._tables.items()},
            sequences={name: table.stream_shard.next_sequence for name, table in self._tables.items() if table.stream_shard},
            objects={name: (found, found.value) for name, found in bucket.keys.items()},
            uploads=[
                (upload.id, upload.key_name, upload.metadata, {number: part.value for number, part in upload.parts.items()})
                for upload in bucket.multiparts.values()
            ],
            executions={machine.arn: list(machine.executions) for machine in self._machines},
            messages={arn: list(topic.sent_notifications) for arn, topic in self._topics.items()},
        )

    def put_back(self, aside: _Aside) -> None:
        for name, table in self._tables.items():
            table.items = _copy(table, aside.tables[name])
            if table.stream_shard:
                table.stream_shard.rewind(aside.sequences[name])
        bucket, backend = self._objects, _backend(s3_backends, "aws")
        for name in list(bucket.keys):
            if name not in aside.objects:
                bucket.keys.pop(name)
        for name, (kept, content) in aside.objects.items():
            if bucket.keys.get(name) is not kept:
                restored = backend.put_object(self.bucket, name, content, etag=kept.etag.strip('"'))
                restored.set_metadata(kept.metadata)
                aside.objects[name] = (restored, content)
        bucket.multiparts.clear()
        for upload_id, key, metadata, parts in aside.uploads:
            upload = FakeMultipart(key, metadata, account_id=_ACCOUNT, region_name="eu-west-1")
            upload.id = upload_id
            for number, content in parts.items():
                upload.set_part(number, content)
            bucket.multiparts[upload_id] = upload
        for machine in self._machines:
            machine.executions[:] = aside.executions[machine.arn]
        for arn, topic in self._topics.items():
            topic.sent_notifications[:] = aside.messages[arn]

    def seen(self, *, figures: bool = True, without: frozenset[str] = frozenset()) -> State:
        """Everything as texts that compare; not the counts of requests, nor the tables named in `without`."""
        state: State = Counter()
        left_out = {settings().rate_limits_table, *without}
        for name, table in self._tables.items():
            if name not in left_out:
                for item in every_item(table):
                    state[self._text(item, figures, name, _written)] += 1
        bucket = self._objects
        for key, found in bucket.keys.items():
            state[self._text(found, figures, key, _readable)] += 1
        for upload in bucket.multiparts.values():
            state[plain(f"upload {upload.key_name} {sorted(upload.parts)}")] += 1
        for machine in self._machines:
            for execution in machine.executions:
                state[plain(f"execution {machine.name} {execution.execution_input}")] += 1
        for arn, topic in self._topics.items():
            for sent in topic.sent_notifications:
                state[plain(f"message {arn} {sent[1]}", figures=figures)] += 1
        return state

    def _text(self, stored: Any, figures: bool, name: str, write: Callable[[Any], str]) -> str:
        """The text of something stored, which never changes but is replaced."""
        known = self._texts.get((id(stored), figures))
        if known is None:
            known = self._texts[id(stored), figures] = (stored, plain(f"{name} {write(stored)}", figures=figures))
        return known[1]

    def stream(self, table: str, since: _Aside | None = None) -> list[dict[str, Any]]:
        """Records of a table's stream as Lambda delivers them, since a moment."""
        found = self._tables[table]
        first = since.sequences[table] if since else 0
        arn = found.latest_stream_arn if hasattr(found, "latest_stream_arn") else f"arn:aws:dynamodb:eu-west-1:1:table/{table}/stream/1"
        return [{**record.event, "eventSourceARN": arn} for record in found.stream_shard.records if record.sequence >= first]


def _copy(table: Any, items: Any) -> Any:
    twin = items.copy()
    if table.range_key_attr is not None:
        for place, ranged in items.items():
            twin[place] = ranged.copy()
    return twin


def _written(item: Any) -> str:
    return json.dumps(attributes(item), sort_keys=True, default=lambda _: "<bytes>")


def _readable(found: Any) -> str:
    try:
        text: str = found.value.decode()
    except UnicodeDecodeError:
        return "<bytes>"
    return text


def difference(found: State, wanted: State) -> str:
    """What one state has that the other has not, in a few lines."""
    return "\n".join([*(f"+ {text[:600]}" for text in list(found - wanted)[:6]), *(f"- {text[:600]}" for text in list(wanted - found)[:6])])
