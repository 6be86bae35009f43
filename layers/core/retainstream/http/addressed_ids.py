"""Ids of customers in paths, as API Gateway gives them: decoded, so that an encoded slash looks like a path of its own."""

import re

from retainstream.engine.schema.customer_id import address_of, id_in_address, id_problem
from retainstream.engine.schema.spelling import cleaned
from retainstream.http.events import HttpEvent

_CUSTOMER = re.compile(r"/api/customers/(?P<id>(?P<first>[^/]*).*?)(?P<outcome>/outcome)?", re.DOTALL)
_OTHER_PATHS = frozenset({"", "high-risk", "segment", "imports", "sources", "preparations"})
_PLAIN = re.compile(r"[A-Za-z0-9._:@~-]*")
_TO_ESCAPE = re.compile(r"[^A-Za-z0-9._:@~-]+")
_NOT_TEXT = "\N{REPLACEMENT CHARACTER}"


def with_escaped_id(event: HttpEvent) -> HttpEvent:
    """The event with a customer's id in the form that routes match (see `customer_id.address_of`), where the path holds the id as it is.

    A client that writes the id in percent codes reaches its customer, too, but for a question mark: API Gateway ends the path there.
    A path whose id no customer can have stays as it is, so that one with a control character is no path of the API.
    Percent codes that are no text arrive as replacement characters. They name no customer: an id with this character has to be escaped.
    """
    path = event.get("rawPath", "")
    match = _CUSTOMER.fullmatch(path)
    if match is None or match["first"] in _OTHER_PATHS or _NOT_TEXT in match["id"] or _PLAIN.fullmatch(match["id"]):
        return event
    customer_id = id_in_address(match["id"])
    if cleaned(customer_id) != customer_id or id_problem(customer_id):
        return event
    escaped = _TO_ESCAPE.sub(lambda part: address_of(part[0]), match["id"])
    return {**event, "rawPath": f"/api/customers/{escaped}{match['outcome'] or ''}"}
