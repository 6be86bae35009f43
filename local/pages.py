"""The dashboard's pages, as CloudFront serves them: the built files, and the front page for other paths."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError

from cli.page_headers import cache_control, content_type
from local.http_event import HttpAnswer

_FILE = re.compile(r"/(assets/.*|[^/]*\.[^/]*)$")
"""The paths of files: below assets/, or with a dot at the root. A dot further down belongs to a page: customers' ids may have dots."""
BUILT = Path(__file__).parents[1] / "web" / "dist"


class Pages:
    """The files below `folder`, each with `headers`. File names in assets/ contain a digest, so browsers may cache them for ever."""

    def __init__(self, folder: Path, headers: Mapping[str, str]) -> None:
        self._headers = [(name.lower(), value) for name, value in headers.items()]
        self._files = {f"/{path.relative_to(folder).as_posix()}": path for path in folder.rglob("*") if path.is_file()}

    def answer(self, path: str) -> HttpAnswer | None:
        """The file at `path`, the front page for a page of the dashboard, or None for a file that does not exist."""
        name = path if path in self._files else "/index.html"
        if name not in self._files or (name != path and (_FILE.match(path) or ".." in path.split("/"))):
            return None
        headers = [("content-type", content_type(name)), ("cache-control", cache_control(name[1:])), *self._headers]
        return HttpAnswer(200, headers, self._files[name].read_bytes())


def take_uploads_from_pages(buckets: list[str], port: int) -> None:
    """Allow the pages at `port`, under both names of this machine, to upload to each bucket with a CORS configuration."""
    s3 = boto3.client("s3")
    origins = [f"http://{host}:{port}" for host in ("localhost", "127.0.0.1")]
    for bucket in buckets:
        try:
            rules: Any = s3.get_bucket_cors(Bucket=bucket)["CORSRules"]
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchCORSConfiguration":
                raise
            continue
        for rule in rules:
            rule["AllowedOrigins"] = [*rule["AllowedOrigins"], *origins]
        s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": rules})
