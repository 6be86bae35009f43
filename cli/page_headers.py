"""HTTP headers for the dashboard's files, on the local stack and in a deployment."""

import mimetypes

_FOREVER = "public, max-age=31536000, immutable"
_REVALIDATE = "no-cache"

_KINDS = mimetypes.MimeTypes()  # only Python's own types: those of a machine may be wrong
_KINDS.add_type("font/woff2", ".woff2")
_KINDS.add_type("application/json", ".map")


def content_type(name: str) -> str:
    kind = _KINDS.guess_type(name)[0] or "application/octet-stream"
    return kind + ("; charset=utf-8" if kind.startswith("text/") or kind == "image/svg+xml" else "")


def cache_control(name: str) -> str:
    """Names below assets/ contain a digest of the content, so browsers may keep them for ever; they check the others each time."""
    return _FOREVER if name.startswith("assets/") else _REVALIDATE
