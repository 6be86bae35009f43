"""The dashboard's pages, as CloudFront serves them: the built files, and the front page for other paths."""

import re
from collections.abc import Mapping
from pathlib import Path

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
