"""Remains of a stop: runs that will not finish, and items past their time to live."""

import os
import time

from moto.dynamodb.models import dynamodb_backends

from local.atomic_tables import LOCK, every_item
from local.isolation import ACCOUNT, REGION
from retainstream.storage.runs import Runs
from retainstream.storage.table import Table

REASON = "Interrupted by a restart of the local stack."


def fail_interrupted_runs() -> int:
    """Mark the runs that are recorded as running as failed, with a reason. Returns their number."""
    table = Table(os.environ["RUNS_TABLE"], ("run_id",))
    running = [run["run_id"] for page in table.scan_pages() for run in page if run.get("status") == "RUNNING"]
    for run_id in running:
        Runs(table).fail(run_id, REASON)
    return len(running)


def forget_expired() -> int:
    """Remove the items past their time to live, which DynamoDB does after a while. Returns their number."""
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
