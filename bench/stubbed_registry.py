"""A model in service, and counted requests, on stubbed AWS: what every route that scores reads."""

import hashlib
import json
from typing import Any

from bench.made_models import THRESHOLD, MadeModel
from bench.stubbed_aws import Answer, AwsRequest, StubbedAws

VERSION = "20260101T000000Z-bench000"


def in_service(model: MadeModel) -> StubbedAws:
    """Stubbed AWS where `model` is the champion and every request is the first of its window."""
    from retainstream.storage.table import to_attributes

    files = {
        "model.ubj": model.booster,
        "schema.json": model.schema.model_dump_json().encode(),
        "calibration.json": json.dumps({"method": "none"}).encode(),
    }
    record = {
        "version": VERSION,
        "status": "registered",
        "threshold": THRESHOLD,
        "files": {
            name: {"key": f"models/{VERSION}/{name}", "sha256": hashlib.sha256(content).hexdigest()} for name, content in files.items()
        },
    }
    moved = {"version": VERSION, "promoted_at": "2026-01-01T00:00:00.000+00:00", "promoted_by": "bench"}
    pointer = {**moved, "revision": 1, "history": [moved], "record": record}
    items: dict[str, Any] = {
        "champion": {"Item": to_attributes({"pk": "champion", "sk": "current", **pointer})},
        "version": {"Item": to_attributes({"pk": "version", "sk": VERSION, **record})},
    }

    def get_item(request: AwsRequest) -> Answer:
        item: Answer = items[request.json["Key"]["pk"]["S"]]
        return item

    def get_object(request: AwsRequest) -> Answer:
        return files[request.path.partition("?")[0].rpartition("/")[2]]

    def counted(_asked: AwsRequest) -> Answer:
        return {"Attributes": to_attributes({"key": "user#bench", "hits": 1, "expires_at": 4_000_000_000})}

    return StubbedAws({"GetItem": get_item, "GetObject": get_object, "UpdateItem": counted})
