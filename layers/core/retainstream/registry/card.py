"""A version's model card: its data, and the page made from it."""

import json
from dataclasses import dataclass

from pydantic import JsonValue

from retainstream.registry.loading import CARD_FILE, CARD_PAGE_FILE, verified_file
from retainstream.registry.versions import get
from retainstream.storage.documents import LINK_SECONDS, Documents
from retainstream.storage.models import Models, Version


class NoCard(LookupError):
    """The version was registered without a card."""


@dataclass(frozen=True)
class CardPage:
    """The page, and its content security policy, which allows only the page's own style sheet, by hash."""

    html: str
    policy: str


def card_document(models: Models, documents: Documents, version: str) -> dict[str, JsonValue]:
    """The card as it was registered, with a link in `html_url` that opens its page without a token for 15 minutes.

    Raises:
        UnknownVersion: the version does not exist.
        NoCard: the version has no card.
        CorruptModel: the stored card is missing or has changed.
    """
    record = _with_card(models, version)
    card: dict[str, JsonValue] = json.loads(verified_file(record, documents, CARD_FILE))
    return {**card, "html_url": documents.page_link(record["files"][CARD_PAGE_FILE]["key"], seconds=LINK_SECONDS)}


def card_page(models: Models, documents: Documents, version: str) -> CardPage:
    """The card's page as it was registered.

    Raises: as `card_document`.
    """
    record = _with_card(models, version)
    html = verified_file(record, documents, CARD_PAGE_FILE).decode()
    return CardPage(html, f"{record['card_policy']}; frame-ancestors 'none'")


def _with_card(models: Models, version: str) -> Version:
    record = get(models, version)
    if not {CARD_FILE, CARD_PAGE_FILE} <= record.get("files", {}).keys():
        raise NoCard(version)
    return record
