"""The check of a signed S3 link that S3 makes on AWS: signature, method, key, lifetime and signed headers."""

import hmac
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, quote, urlencode

from botocore.auth import SIGV4_TIMESTAMP, S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from local.http_event import Request
from local.isolation import REGION

_FASTEST_CLOCK = timedelta(minutes=15)


class RefusedError(Exception):
    """S3 does not carry a request out. `code` is S3's word for the reason, the message one sentence."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class SignedLinks:
    """Links that the holder of `credentials` signed, by version 4 of AWS's signatures, in the query."""

    def __init__(self, credentials: Credentials) -> None:
        self._signer = S3SigV4QueryAuth(credentials, "s3", REGION)

    def check(self, request: Request) -> dict[str, str]:
        """The parameters of the link without those of its signature. All of them, the method and the key are as they were signed.

        Raises:
            RefusedError: the link has no signature, another one, or has expired; or a signed header has another value.
        """
        pairs = parse_qsl(request.query, keep_blank_values=True)
        query = dict(pairs)
        try:
            signature = query.pop("X-Amz-Signature")
            signed_headers = query["X-Amz-SignedHeaders"].split(";")
            begin = datetime.strptime(query["X-Amz-Date"], SIGV4_TIMESTAMP).replace(tzinfo=UTC)
            end = begin + timedelta(seconds=int(query["X-Amz-Expires"]))
        except (KeyError, ValueError, OverflowError) as error:
            raise RefusedError(403, "AccessDenied", "The request has no signed link.") from error
        expected = self._signature(request, query, signed_headers)
        if len(query) + 1 != len(pairs) or not hmac.compare_digest(signature.encode(), expected.encode()):
            raise RefusedError(403, "SignatureDoesNotMatch", "The link was not signed for this request.")
        if not begin - _FASTEST_CLOCK <= datetime.now(UTC) < end:
            raise RefusedError(403, "AccessDenied", "The link has expired.")
        return {name: value for name, value in query.items() if not name.startswith("X-Amz-")}

    def _signature(self, request: Request, query: dict[str, str], signed_headers: list[str]) -> str:
        """The right signature of the request as it arrived."""
        path = quote(request.decoded_path, safe="/")
        headers = {name: request.header(name) or "" for name in signed_headers}
        signed = AWSRequest(request.method, f"http://localhost{path}?{urlencode(query, quote_via=quote, safe='')}", headers)
        signed.context["timestamp"] = query["X-Amz-Date"]
        return self._signer.signature(self._signer.string_to_sign(signed, self._signer.canonical_request(signed)), signed)
