"""The origin of a request: its network, and a browser that was used to sign in before."""

import hmac
import re
from ipaddress import IPv6Address, IPv6Network, ip_address

from aws_lambda_powertools.shared.cookies import Cookie, SameSite

from retainstream.http.events import HttpEvent
from retainstream.storage.secret import Secret

SIGN_IN_PATH = "/api/auth/login"
VIEWER_HEADER, SECRET_HEADER = "x-viewer-address", "x-pages-secret"
_BROWSER = "__Secure-retainstream_browser"
_COOKIE = re.compile(rf"{_BROWSER}=([A-Za-z0-9_-]{{22}})")
_ONE_SUBSCRIBER = 64


def network_of(event: HttpEvent, pages_secret: Secret | None = None) -> str:
    """The network whose requests are counted together: an IPv4 address, or the first 64 bits of an IPv6 address (RFC 6177).

    This is the other end of the connection, as API Gateway saw it. For a request through the pages' distribution, which proves it with the
    secret, it is the viewer that the distribution states. Every other header can be forged.

    Raises:
        StorageUnavailable: a secret was sent, and Secrets Manager does not answer.
    """
    source = event["requestContext"]["http"]["sourceIp"]
    return _network(_viewer(event, pages_secret)) or _network(source) or source


def _viewer(event: HttpEvent, pages_secret: Secret | None) -> str:
    headers = event.get("headers") or {}
    shown = headers.get(SECRET_HEADER)
    if not shown or not pages_secret or not hmac.compare_digest(shown.encode(errors="replace"), pages_secret.text.encode()):
        return ""
    return headers.get(VIEWER_HEADER, "")


def _network(text: str) -> str | None:
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        return str(address.ipv4_mapped or IPv6Network((address, _ONE_SUBSCRIBER), strict=False))
    return str(address)


def browser_of(event: HttpEvent) -> str | None:
    """The browser's id from its cookie; None without a valid one."""
    return next((match[1] for cookie in event.get("cookies") or () if (match := _COOKIE.fullmatch(cookie.strip()))), None)


def browser_cookie(browser: str, seconds: int) -> Cookie:
    """A cookie that is sent only to the sign-in, only from the dashboard's own pages, and hidden from scripts. By the prefix of its name,
    browsers take it only with `Secure`, from an origin that they trust (RFC 6265bis)."""
    return Cookie(_BROWSER, browser, path=SIGN_IN_PATH, secure=True, http_only=True, max_age=seconds, same_site=SameSite.STRICT_MODE)
