"""A bucket in the process's memory behind the S3 client: objects, ranges, lists."""

import re
from collections.abc import Callable, Mapping
from urllib.parse import parse_qs, unquote
from xml.sax.saxutils import escape  # nosec B406

from bench.stubbed_aws import Answer, AwsRequest, Reply

_NOT_THERE = Reply(404, b"<Error><Code>NoSuchKey</Code><Message>not there</Message></Error>", {"Content-Type": "application/xml"})


class StubbedBucket:
    """`objects` by key. `answers` are for StubbedAws."""

    def __init__(self, objects: Mapping[str, bytes]) -> None:
        self.objects = dict(objects)

    @property
    def answers(self) -> dict[str, Callable[[AwsRequest], Answer]]:
        return {"GetObject": self._get, "PutObject": self._put, "HeadObject": self._head, "ListObjectsV2": self._list}

    def _get(self, request: AwsRequest) -> Answer:
        content = self.objects.get(_key(request))
        if content is None:
            return _NOT_THERE
        wanted = re.fullmatch(r"bytes=(\d+)-(\d+)", request.headers.get("Range", ""))
        if wanted is None:
            return content
        first, last = int(wanted[1]), min(int(wanted[2]), len(content) - 1)
        return Reply(206, content[first : last + 1], {"ETag": '"stub"', "Content-Range": f"bytes {first}-{last}/{len(content)}"})

    def _put(self, request: AwsRequest) -> Answer:
        chunked = "aws-chunked" in request.headers.get("Content-Encoding", "")
        self.objects[_key(request)] = _unchunked(request.body) if chunked else request.body
        return b""

    def _head(self, request: AwsRequest) -> Answer:
        content = self.objects.get(_key(request))
        return Reply(404) if content is None else Reply(200, b"", {"ETag": '"stub"', "Content-Length": str(len(content))})

    def _list(self, request: AwsRequest) -> Answer:
        query = {name: values[0] for name, values in parse_qs(request.path.partition("?")[2]).items()}
        prefix, after = query.get("prefix", ""), query.get("start-after", "")
        keys = sorted(key for key in self.objects if key.startswith(prefix) and key > after)[: int(query.get("max-keys", 1000))]
        listed = "".join(f"<Contents><Key>{escape(key)}</Key><Size>{len(self.objects[key])}</Size></Contents>" for key in keys)
        return f"<ListBucketResult><IsTruncated>false</IsTruncated>{listed}</ListBucketResult>".encode()


def _key(request: AwsRequest) -> str:
    return unquote(request.path.partition("?")[0])


def _unchunked(body: bytes) -> bytes:
    """The content of a body in chunks, each after its length in hexadecimal."""
    content, place = bytearray(), 0
    while True:
        end = body.index(b"\r\n", place)
        length = int(body[place:end].partition(b";")[0], 16)
        if not length:
            return bytes(content)
        content += body[end + 2 : end + 2 + length]
        place = end + 2 + length + 2
