"""What a stop left behind: runs that nobody finishes any more, and items past their time to live."""

import os
import time
from datetime import UTC, datetime

from moto.dynamodb.models import dynamodb_backends

from local.atomic_tables import LOCK, every_item
from local.isolation import ACCOUNT, REGION

REASON = "interrupted by a restart of the local stack"


def fail_interrupted_runs() -> int:
    """Runs that are recorded as running become failed ones with a reason. Returns how many there were."""
    from retainstream.storage.table import Table

    runs = Table(os.environ["RUNS_TABLE"], ("run_id",))
    now = datetime.now(UTC).isoformat()
    interrupted = 0
    for page in list(runs.scan_pages()):
        for run in page:
            if run.get("status") == "RUNNING":
                steps = [
                    {**step, "status": "FAILED", "finished_at": now} if step.get("status") == "RUNNING" else step
                    for step in run.get("steps", [])
                ]
                runs.put({**run, "status": "FAILED", "reason": REASON, "finished_at": now, "steps": steps})
                interrupted += 1
    return interrupted


def forget_expired() -> int:
    """Remove the items whose time to live is over, as DynamoDB does in its own time. Returns how many."""
    now = time.time()
    forgotten = 0
    with LOCK:
        for table in dynamodb_backends[ACCOUNT][REGION].tables.values():
            name = table.ttl.get("AttributeName") if table.ttl["TimeToLiveStatus"] == "ENABLED" else None
            if name is None:
                continue
            for item in list(every_item(table)):
                expires = item.attrs.get(name)
                if expires is not None and expires.type == "N" and float(expires.value) < now:
                    table.delete_item(item.hash_key, item.range_key)
                    forgotten += 1
    return forgotten
