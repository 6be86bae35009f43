"""What our client stores is what boto3's own client would store."""

import boto3
from boto3.dynamodb.types import TypeSerializer

from retainstream.settings import settings
from retainstream.storage.attributes import from_attributes
from retainstream.storage.table import Table
from tests.unit.test_stored_values import as_boto3_has_it


def test_the_clients_way_and_boto3s_own_way_lead_to_the_same_item(aws: None) -> None:
    item = {"customer_id": "c1", "text": "Zoë \N{GRINNING FACE}", "list": [1, 2.5, None, {"a": True}], "bytes": b"\x00\xff", "empty": {}}
    table = Table(settings().customers_table, ("customer_id",))
    table.put(item)
    plain = boto3.client("dynamodb")
    stored = plain.get_item(TableName=table.name, Key={"customer_id": {"S": "c1"}})["Item"]
    assert stored == {name: TypeSerializer().serialize(as_boto3_has_it(value)) for name, value in item.items()}
    assert from_attributes(stored) == table.get({"customer_id": "c1"}) == item
    [copied] = table.get_many([{"customer_id": "c1"}])
    assert table.scan().items == [copied] == [item]
