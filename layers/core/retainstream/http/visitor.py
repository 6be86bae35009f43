"""Where a request comes from: its network, and the browser that somebody signed in with before."""

import re
from collections.abc import Mapping
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Any

from aws_lambda_powertools.shared.cookies import Cookie, SameSite

SIGN_IN_PATH = "/api/auth/login"
_BROWSER = "retainstream_browser"
_GIVEN = re.compile(rf"{_BROWSER}=([A-Za-z0-9_-]{{22}})")
_ONE_SUBSCRIBER = 64


def network_of(event: Mapping[str, Any]) -> str:
    """Whose requests are counted together: an IPv4 address, or the 64 bits of an IPv6 address that one subscriber has (RFC 6177).

    This is the other end of the connection, as API Gateway saw it. What headers say of it can be made up.
    """
    source = str(event["requestContext"]["http"]["sourceIp"])
    try:
        address = ip_address(source.partition("%")[0])
    except ValueError:
        return source
    if isinstance(address, IPv6Address):
        return str(address.ipv4_mapped or IPv6Network((address, _ONE_SUBSCRIBER), strict=False))
    return str(address)


def browser_of(event: Mapping[str, Any]) -> str | None:
    """The id that `browser_cookie` gave the browser; None where it brings none, or something else."""
    return next((found[1] for cookie in event.get("cookies") or () if (found := _GIVEN.fullmatch(cookie.strip()))), None)


def browser_cookie(browser: str, seconds: int) -> Cookie:
    """Sent back to the sign-in alone, from the dashboard's own pages alone, and never shown to a script."""
    return Cookie(_BROWSER, browser, path=SIGN_IN_PATH, secure=True, http_only=True, max_age=seconds, same_site=SameSite.STRICT_MODE)
