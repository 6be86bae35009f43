"""Objects of the local stack are reached by signed links only, at the gateway's own port, from this machine's own pages."""

import hashlib
import re
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import httpx
import pytest
from botocore.config import Config

from local.stack import LocalStack
from retainstream.storage.documents import Documents
from retainstream.storage.uploads import Uploads

OWN = "http://web.example"
FOREIGN = "http://evil.example"
CONTENT = b"customer_id,plan\nc1,basic\n"


@pytest.fixture
def stored(echo_stack: LocalStack) -> Iterator[str]:
    """The link to a stored object."""
    Documents().put_bytes("exports/é b+c.csv", CONTENT, "text/csv")
    yield Documents().download_link("exports/é b+c.csv", file_name="c.csv", seconds=60)
    assert Documents().get_bytes("exports/é b+c.csv") == CONTENT


def upload_link(size: int = len(CONTENT), key: str = "imports/up") -> str:
    return Uploads().link(key, size, seconds=60)


def test_a_link_leads_to_the_gateways_own_port(echo_stack: LocalStack, stored: str) -> None:
    for link in (stored, upload_link()):
        assert urlsplit(link).netloc == f"127.0.0.1:{urlsplit(echo_stack.url).port}"


def test_a_link_downloads_its_object(stored: str) -> None:
    answer = httpx.get(stored)
    assert (answer.status_code, answer.content) == (200, CONTENT)
    assert answer.headers["content-type"] == "text/csv"
    assert answer.headers["content-length"] == str(len(CONTENT))
    assert answer.headers["content-disposition"] == 'attachment; filename="c.csv"'
    assert answer.headers["etag"] == f'"{hashlib.md5(CONTENT).hexdigest()}"'
    assert answer.headers["accept-ranges"] == "bytes"


def test_an_object_that_opens_in_the_browser_cannot_act_as_the_dashboard(stored: str) -> None:
    answer = httpx.get(Documents().page_link("exports/é b+c.csv", seconds=60))
    assert answer.headers["content-disposition"] == "inline"
    policy = answer.headers["content-security-policy"].split("; ")
    assert {"script-src 'none'", "object-src 'none'", "base-uri 'none'", "form-action 'none'"} <= set(policy)
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("asked", "status", "content", "place"),
    [
        ("bytes=0-7", 206, CONTENT[:8], f"bytes 0-7/{len(CONTENT)}"),
        ("bytes=9-", 206, CONTENT[9:], f"bytes 9-{len(CONTENT) - 1}/{len(CONTENT)}"),
        ("bytes=-4", 206, CONTENT[-4:], f"bytes {len(CONTENT) - 4}-{len(CONTENT) - 1}/{len(CONTENT)}"),
        ("bytes=0-1,3-4", 200, CONTENT, None),
        ("lines=1-2", 200, CONTENT, None),
        ("bytes=9000-", 416, None, f"bytes */{len(CONTENT)}"),
    ],
)
def test_a_range_of_an_object(stored: str, asked: str, status: int, content: bytes | None, place: str | None) -> None:
    answer = httpx.get(stored, headers={"Range": asked})
    assert (answer.status_code, answer.headers.get("content-range")) == (status, place)
    assert content is None or answer.content == content


def test_a_link_to_an_object_that_does_not_exist_is_not_found(echo_stack: LocalStack) -> None:
    assert httpx.get(Documents().download_link("exports/none", file_name="c.csv", seconds=60)).status_code == 404


def test_a_link_uploads_its_object(echo_stack: LocalStack) -> None:
    answer = httpx.put(upload_link(), content=CONTENT, headers={"Content-Type": "text/csv", "Content-Encoding": "gzip"})
    assert (answer.status_code, answer.headers["etag"]) == (200, f'"{hashlib.md5(CONTENT).hexdigest()}"')
    stored = boto3.client("s3").get_object(Bucket="retainstream-bucket", Key="imports/up")
    assert (stored["Body"].read(), stored["ContentType"], stored["ContentEncoding"]) == (CONTENT, "text/csv", "gzip")
    assert stored["ETag"] == answer.headers["etag"]


def test_an_upload_that_is_larger_than_a_buffer_arrives_whole(echo_stack: LocalStack) -> None:
    content = b"".join(hashlib.sha256(str(number).encode()).digest() for number in range(600_000))
    assert httpx.put(upload_link(len(content)), content=content, timeout=60).status_code == 200
    answer = httpx.get(Documents().download_link("imports/up", file_name="u", seconds=60), timeout=60)
    assert hashlib.sha256(answer.content).digest() == hashlib.sha256(content).digest()


def test_an_upload_that_ends_early_leaves_no_object(echo_stack: LocalStack) -> None:
    link = urlsplit(upload_link(key="imports/early"))
    head = f"PUT {link.path}?{link.query} HTTP/1.1\r\nHost: {link.netloc}\r\nContent-Length: {len(CONTENT)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", link.port or 80), timeout=10) as connection:
        connection.sendall(head.encode() + CONTENT[:9])
        connection.shutdown(socket.SHUT_WR)
        assert b" 200 " not in connection.recv(65536)
    assert httpx.put(upload_link(), content=CONTENT).status_code == 200
    assert not Documents().exists("imports/early")


def test_an_upload_in_parts(echo_stack: LocalStack) -> None:
    uploads, key, sizes = Uploads(), "imports/parts", {1: 5 << 20, 2: 5 << 20, 3: 7}
    upload_id = uploads.begin(key, "text/csv")
    for number in (2, 1, 3):
        link = uploads.part_link(key, upload_id, number, sizes[number], seconds=60)
        content = bytes([number]) * sizes[number]
        answer = httpx.put(link, content=content, headers={"Origin": OWN}, timeout=60)
        assert answer.status_code == 200
        assert "etag" in answer.headers["access-control-expose-headers"].lower()
        assert answer.headers["etag"] == uploads.parts(key, upload_id)[number].tag
    uploads.complete(key, upload_id, uploads.parts(key, upload_id))
    assert Documents().get_bytes(key) == b"".join(bytes([number]) * size for number, size in sizes.items())


def test_a_part_of_an_upload_that_is_over_is_not_found(echo_stack: LocalStack) -> None:
    uploads = Uploads()
    upload_id = uploads.begin("imports/over")
    link = uploads.part_link("imports/over", upload_id, 1, 3, seconds=60)
    other = uploads.part_link("imports/another", upload_id, 1, 3, seconds=60)
    assert httpx.put(other, content=b"abc").status_code == 404, "the upload belongs to another key"
    uploads.abort("imports/over")
    assert httpx.put(link, content=b"abc").status_code == 404


def _without_signature(link: str) -> str:
    return link.partition("?")[0]


def _other_signature(link: str) -> str:
    name, signature = link.rsplit("=", 1)
    return f"{name}={'0' if signature[0] != '0' else '1'}{signature[1:]}"


CHANGES: dict[str, Callable[[str], str]] = {
    "no query": _without_signature,
    "no signature": lambda link: link.rpartition("&")[0],
    "another signature": _other_signature,
    "an empty signature": lambda link: link.rsplit("=", 1)[0] + "=",
    "another key": lambda link: link.replace("/exports/", "/datasets/").replace("/imports/up", "/imports/other"),
    "a longer life": lambda link: link.replace("X-Amz-Expires=60", "X-Amz-Expires=6000"),
    "a later date": lambda link: re.sub(r"X-Amz-Date=\d{4}", "X-Amz-Date=2099", link),
    "a date that is none": lambda link: re.sub(r"X-Amz-Date=\d{4}", "X-Amz-Date=x", link),
    "fewer signed headers": lambda link: link.replace("content-length%3Bhost", "host").replace("Headers=host", "Headers=accept"),
    "one more parameter": lambda link: link + "&versionId=null",
    "a repeated parameter": lambda link: link + "&X-Amz-Expires=6000",
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_a_changed_link_is_refused(stored: str, method: str, change: str) -> None:
    link = CHANGES[change](stored if method == "GET" else upload_link())
    answer = httpx.request(method, link, content=CONTENT if method == "PUT" else None)
    assert answer.status_code == 403
    assert CONTENT not in answer.content


@pytest.mark.parametrize("method", ["PUT", "DELETE", "POST", "HEAD", "PATCH", "OPTIONS"])
def test_a_download_link_allows_nothing_else(stored: str, method: str) -> None:
    assert httpx.request(method, stored).status_code == 403


@pytest.mark.parametrize("method", ["GET", "DELETE", "POST", "HEAD"])
def test_an_upload_link_allows_nothing_else(stored: str, method: str) -> None:
    assert httpx.request(method, upload_link(), content=CONTENT).status_code == 403


def test_an_upload_of_another_size_is_refused(echo_stack: LocalStack) -> None:
    assert httpx.put(upload_link(), content=CONTENT + b"c2,basic\n").status_code == 403
    assert httpx.put(upload_link(), content=iter([CONTENT])).status_code == 403, "a body whose size is not announced"


def test_a_link_ends(stored: str) -> None:
    short, long = (Documents().download_link("exports/é b+c.csv", file_name="c.csv", seconds=seconds) for seconds in (1, 600))
    time.sleep(2.1)
    assert httpx.get(short).status_code == 403
    assert httpx.get(long).status_code == 200


@pytest.mark.parametrize("secret", ["local", "testing", "FOOBARSECRET", ""])
@pytest.mark.parametrize("access_key", ["local", "testing", "FOOBARKEY"])
def test_a_link_signed_by_a_key_that_everybody_knows_is_refused(echo_stack: LocalStack, access_key: str, secret: str) -> None:
    client: Any = boto3.session.Session().client(
        "s3",
        aws_access_key_id=access_key,
        aws_secret_access_key=secret or "x",
        config=Config(signature_version="s3v4"),
    )
    link = client.generate_presigned_url("get_object", Params={"Bucket": "retainstream-bucket", "Key": "exports/é b+c.csv"})
    assert urlsplit(link).port == urlsplit(echo_stack.url).port
    assert httpx.get(link).status_code == 403


@pytest.mark.parametrize("operation", ["list_objects_v2", "delete_object", "get_bucket_cors", "put_object_acl"])
def test_a_signed_link_to_anything_but_an_object_is_refused(stored: str, operation: str) -> None:
    parameters = {
        "Bucket": "retainstream-bucket",
        **({"Key": "exports/é b+c.csv"} if "object" in operation and "list" not in operation else {}),
    }
    link = Documents().client.generate_presigned_url(operation, Params=parameters)
    method = {"delete_object": "DELETE", "put_object_acl": "PUT"}.get(operation, "GET")
    assert httpx.request(method, link).status_code == 403


def test_pages_of_this_machine_may_upload_and_read_the_tag(echo_stack: LocalStack) -> None:
    port = urlsplit(echo_stack.url).port
    for origin in (OWN, f"http://localhost:{port}", f"http://127.0.0.1:{port}"):
        asked = {"Origin": origin, "Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "content-type"}
        preflight = httpx.options(upload_link(), headers=asked)
        assert preflight.status_code == 200
        assert preflight.headers["access-control-allow-origin"] == origin
        assert preflight.headers["access-control-allow-methods"] == "PUT"
        assert preflight.headers["access-control-allow-headers"] == "content-type"
        assert preflight.headers["access-control-max-age"] == "600"
        answer = httpx.put(upload_link(), content=CONTENT, headers={"Origin": origin})
        assert answer.headers["access-control-allow-origin"] == origin
        assert answer.headers["access-control-expose-headers"].lower() == "etag"
        refused = httpx.put(_other_signature(upload_link()), content=CONTENT, headers={"Origin": origin})
        assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (403, origin)


@pytest.mark.parametrize("origin", [FOREIGN, "null", "https://web.example", "http://localhost:1", "https://d111.cloudfront.net"])
def test_pages_of_elsewhere_are_refused_even_with_a_good_link(stored: str, origin: str) -> None:
    asked = {"Origin": origin, "Access-Control-Request-Method": "PUT"}
    answers = [
        httpx.get(stored, headers={"Origin": origin}),
        httpx.put(upload_link(key="imports/never"), content=CONTENT, headers={"Origin": origin}),
        httpx.options(upload_link(), headers=asked),
        httpx.options(stored, headers={**asked, "Access-Control-Request-Method": "GET"}),
    ]
    for answer in answers:
        assert answer.status_code == 403
        assert not [name for name in answer.headers if name.startswith("access-control")]
    assert not Documents().exists("imports/never")


def test_a_preflight_for_another_method_is_refused(stored: str) -> None:
    assert httpx.options(stored, headers={"Origin": OWN, "Access-Control-Request-Method": "DELETE"}).status_code == 403


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:{port}", "localhost.evil.example", "127.0.0.1.evil.example", "127.0.0.2", "u@localhost", "0.0.0.0", ""],
)
def test_a_request_by_another_name_is_refused(echo_stack: LocalStack, stored: str, host: str) -> None:
    headers = {"Host": host.format(port=urlsplit(echo_stack.url).port), "Authorization": "ann"}
    for path in ("/", "/echo", "/echo/open", "/at-risk", "/api/health"):
        assert httpx.get(f"{echo_stack.url}{path}", headers=headers).status_code == 403
    assert httpx.post(f"{echo_stack.url}/echo/open", headers=headers).status_code == 403
    assert (
        httpx.options(f"{echo_stack.url}/echo", headers={**headers, "Origin": OWN, "Access-Control-Request-Method": "GET"}).status_code
        == 403
    )
    answer = httpx.get(stored, headers={"Host": headers["Host"]})
    assert answer.status_code == 403
    assert CONTENT not in answer.content


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:80", "127.0.0.1", "127.0.0.1:5173", "[::1]", "[::1]:5000"])
def test_a_request_by_a_name_of_this_machine_is_answered(http: httpx.Client, host: str) -> None:
    assert http.get("/echo", headers={"Host": host}).status_code == 200


def _listening(process: int) -> set[int]:
    """The TCP ports at which a process listens."""
    inodes = {match[1] for file in Path(f"/proc/{process}/fd").iterdir() if (match := re.match(r"socket:\[(\d+)\]", str(file.readlink())))}
    ports = set()
    for family in ("tcp", "tcp6"):
        for line in Path(f"/proc/{process}/net/{family}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and fields[9] in inodes:
                ports.add(int(fields[1].rpartition(":")[2], 16))
    return ports


@pytest.mark.skipif(not Path("/proc/self/net/tcp").exists(), reason="only Linux lists the sockets of a process there")
def test_nothing_else_listens(stack: Any) -> None:
    assert _listening(stack.process.pid) == {urlsplit(stack.url).port}


def test_no_service_of_aws_answers(stack: Any) -> None:
    scan = {"X-Amz-Target": "DynamoDB_20120810.Scan", "Content-Type": "application/x-amz-json-1.0"}
    scan["Authorization"] = "AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0"
    for origin in ({}, {"Origin": FOREIGN}):
        answer = httpx.post(stack.url, headers={**scan, **origin}, json={"TableName": "retainstream-UsersTable"})
        assert answer.status_code == 404
        assert "alex.chen" not in answer.text
        assert httpx.post(f"{stack.url}/moto-api/reset", headers=origin).status_code == 404
        assert "Users" not in httpx.get(f"{stack.url}/moto-api/data.json", headers=origin).text
    assert httpx.get(f"{stack.url}/api/health").json()["data"]["status"] == "ok"
