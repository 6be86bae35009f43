"""What S3, SNS, Step Functions, Lambda and KMS refuse."""

import json
import re
from base64 import b64decode
from collections.abc import Iterator, Mapping
from urllib.parse import parse_qs, unquote, urlsplit
from xml.etree import ElementTree

LARGEST_STATE = 256 * 1024
"""What a state machine takes as input, and passes from one state to the next."""
_LARGEST_CALL, _LARGEST_EVENT = 6 * 1024 * 1024, 256 * 1024
_LONGEST_S3_KEY, _LARGEST_METADATA, _MOST_PARTS, _MOST_DELETED = 1024, 2048, 10_000, 1000
_LARGEST_PUT = 5 << 30
_EXECUTION_NAME = re.compile(r"[^\s<>{}\[\]?*\"#%\\^|~`$&,;:/\x00-\x1f\x7f-\x9f]{1,80}")
_SUBJECT = re.compile(r"[!-~][ -~]{0,99}")


def faults_of_s3(operation: str, url: str, headers: Mapping[str, str], body: bytes) -> Iterator[str]:
    """Of a request to the object store."""
    key = s3_key(url)
    if key:
        yield from faults_of_s3_key(key)
    metadata = sum(len(name) - len("x-amz-meta-") + len(value) for name, value in headers.items() if name.lower().startswith("x-amz-meta-"))
    if metadata > _LARGEST_METADATA:
        yield f"{metadata} bytes of metadata; {_LARGEST_METADATA} are allowed"
    query = parse_qs(urlsplit(url).query)
    if operation == "UploadPart" and not 1 <= int(query["partNumber"][0]) <= _MOST_PARTS:
        yield f"part {query['partNumber'][0]}; they are numbered from 1 to {_MOST_PARTS}"
    if operation in ("PutObject", "UploadPart") and len(body) > _LARGEST_PUT:
        yield "more than 5 GB in one request"
    if operation == "DeleteObjects" and (named := len(list(ElementTree.fromstring(body).findall(".//{*}Object")))) > _MOST_DELETED:
        yield f"{named} objects to delete; {_MOST_DELETED} are allowed"
    if operation == "CompleteMultipartUpload":
        numbers = [int(found.text or 0) for found in ElementTree.fromstring(body).findall(".//{*}PartNumber")]
        if not numbers or numbers != sorted(set(numbers)):
            yield f"the parts {numbers[:20]} are not in ascending order"


def s3_key(url: str) -> str:
    """The key a request names, whichever way its bucket is named."""
    parts = urlsplit(url)
    path = unquote(parts.path).removeprefix("/")
    return path if not parts.netloc.startswith("s3.") else path.partition("/")[2]


def faults_of_s3_key(key: str) -> Iterator[str]:
    if len(key.encode("utf-8", "surrogatepass")) > _LONGEST_S3_KEY:
        yield f"a key of more than {_LONGEST_S3_KEY} bytes"
    if re.search(r"[\x00-\x1f\x7f\\{}^%`\[\]\"<>~#|]", key):
        yield f"the key {key!r} has a character that S3 says to avoid"
    if key.startswith("/") or any(part in ("", ".", "..") for part in key.split("/")[:-1]) or key.split("/")[-1] in (".", ".."):
        yield f"the key {key!r} has an empty or relative part"


def faults_of_sns(operation: str, body: bytes) -> Iterator[str]:
    """Of a request to the topics' service."""
    if operation != "Publish":
        return
    given = parse_qs(body.decode(), keep_blank_values=True)
    subject, message = given.get("Subject", [None])[0], given.get("Message", [""])[0]
    if subject is not None and not _SUBJECT.fullmatch(subject):
        yield f"the subject {subject!r}: up to 100 characters of ASCII on one line"
    if not message:
        yield "an empty message"
    if len(message.encode()) > _LARGEST_EVENT:
        yield "a message of more than 256 kB"


def faults_of_states(operation: str, body: bytes) -> Iterator[str]:
    """Of a request to Step Functions."""
    if operation != "StartExecution":
        return
    given = json.loads(body)
    if "name" in given and not _EXECUTION_NAME.fullmatch(given["name"]):
        yield f"the execution name {given['name']!r}"
    yield from faults_of_state(given.get("input", "{}"))


def faults_of_state(document: str) -> Iterator[str]:
    """Of what a state is given or answers, as JSON."""
    if len(document.encode()) > LARGEST_STATE:
        yield f"{len(document.encode())} bytes between states; {LARGEST_STATE} are allowed"


def faults_of_lambda(operation: str, headers: Mapping[str, str], body: bytes) -> Iterator[str]:
    """Of a call of a function."""
    if operation == "Invoke":
        asynchronous = headers.get("X-Amz-Invocation-Type") in ("Event", b"Event")
        if len(body) > (_LARGEST_EVENT if asynchronous else _LARGEST_CALL):
            yield f"an event of {len(body)} bytes"


def faults_of_kms(operation: str, body: bytes) -> Iterator[str]:
    """Of a request to the keys' service."""
    if operation == "Sign" and not 1 <= len(b64decode(json.loads(body)["Message"])) <= 4096:
        yield "KMS signs messages of 1 to 4096 bytes"
