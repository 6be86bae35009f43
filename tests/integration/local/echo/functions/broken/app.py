"""Everything a function can do wrong."""

import base64
from typing import Any


def handler(event: dict[str, Any], _context: Any) -> Any:
    match event["rawPath"]:
        case "/broken/raises":
            raise ValueError("a secret detail")
        case "/broken/large":
            return {"statusCode": 200, "body": "x" * (6 * 1024 * 1024)}
        case "/broken/unserialisable":
            return {"statusCode": 200, "body": object()}
        case "/broken/status":
            return {"statusCode": "many"}
        case "/broken/binary":
            return {"statusCode": 200, "body": base64.b64encode(b"\x00\xff").decode(), "isBase64Encoded": True}
    return {"no": "status"}
