"""What a browser is told about a file of the dashboard, here and in the deployment."""

import mimetypes

_FOREVER = "public, max-age=31536000, immutable"
_ALWAYS_ASK = "no-cache"

_KINDS = mimetypes.MimeTypes()  # those of Python itself: what a machine adds of its own may be wrong
_KINDS.add_type("font/woff2", ".woff2")
_KINDS.add_type("application/json", ".map")


def content_type(name: str) -> str:
    kind = _KINDS.guess_type(name)[0] or "application/octet-stream"
    return kind + ("; charset=utf-8" if kind.startswith("text/") or kind == "image/svg+xml" else "")


def cache_control(name: str) -> str:
    """Names below assets/ hold a digest of the content, so these may be kept for ever; the others are asked for each time."""
    return _FOREVER if name.startswith("assets/") else _ALWAYS_ASK
