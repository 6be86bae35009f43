"""A bucket in the process's memory behind the S3 client: objects, ranges, lists."""

import re
from collections.abc import Callable, Mapping
from urllib.parse import parse_qs, unquote
from xml.sax.saxutils import escape  # nosec B406

from bench.stubbed_aws import Answer, Asked, Reply

_NOT_THERE = Reply(404, b"<Error><Code>NoSuchKey</Code><Message>not there</Message></Error>", {"Content-Type": "application/xml"})


class StubbedBucket:
    """`objects` by key. `answers` are for StubbedAws."""

    def __init__(self, objects: Mapping[str, bytes]) -> None:
        self.objects = dict(objects)

    @property
    def answers(self) -> dict[str, Callable[[Asked], Answer]]:
        return {"GetObject": self._get, "PutObject": self._put, "HeadObject": self._head, "ListObjectsV2": self._list}

    def _get(self, asked: Asked) -> Answer:
        content = self.objects.get(_key(asked))
        if content is None:
            return _NOT_THERE
        wanted = re.fullmatch(r"bytes=(\d+)-(\d+)", asked.headers.get("Range", ""))
        if wanted is None:
            return content
        first, last = int(wanted[1]), min(int(wanted[2]), len(content) - 1)
        return Reply(206, content[first : last + 1], {"ETag": '"stub"', "Content-Range": f"bytes {first}-{last}/{len(content)}"})

    def _put(self, asked: Asked) -> Answer:
        chunked = "aws-chunked" in asked.headers.get("Content-Encoding", "")
        self.objects[_key(asked)] = _unchunked(asked.body) if chunked else asked.body
        return b""

    def _head(self, asked: Asked) -> Answer:
        content = self.objects.get(_key(asked))
        return Reply(404) if content is None else Reply(200, b"", {"ETag": '"stub"', "Content-Length": str(len(content))})

    def _list(self, asked: Asked) -> Answer:
        query = {name: values[0] for name, values in parse_qs(asked.path.partition("?")[2]).items()}
        prefix, after = query.get("prefix", ""), query.get("start-after", "")
        keys = sorted(key for key in self.objects if key.startswith(prefix) and key > after)[: int(query.get("max-keys", 1000))]
        listed = "".join(f"<Contents><Key>{escape(key)}</Key><Size>{len(self.objects[key])}</Size></Contents>" for key in keys)
        return f"<ListBucketResult><IsTruncated>false</IsTruncated>{listed}</ListBucketResult>".encode()


def _key(asked: Asked) -> str:
    return unquote(asked.path.partition("?")[0])


def _unchunked(body: bytes) -> bytes:
    """The content of a body in chunks, each after its length in hexadecimal."""
    found, place = bytearray(), 0
    while True:
        end = body.index(b"\r\n", place)
        length = int(body[place:end].partition(b";")[0], 16)
        if not length:
            return bytes(found)
        found += body[end + 2 : end + 2 + length]
        place = end + 2 + length + 2
