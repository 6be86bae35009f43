"""Columns that say where a customer is: postal codes, coordinates. Their numbers have no meaning as numbers."""

import re
from collections.abc import Sequence

from retainstream.engine.traps.words import words_of

_POSTAL_CODES = frozenset({"zip", "zipcode", "zipcodes", "postcode", "postalcode", "postleitzahl", "plz", "eircode", "pincode"})
_LATITUDES = frozenset({"lat", "latitude", "breitengrad", "latitud", "latitudine"})
_LONGITUDES = frozenset({"lon", "lng", "longitude", "langengrad", "longitud", "longitudine"})
_PAIR = re.compile(r"[-+]?\d{1,3}\.\d+\s*[,;/ ]\s*[-+]?\d{1,3}\.\d+", re.ASCII)


def names_a_postal_code(header: str) -> bool:
    """Whether a header names a postal code: zip, postal code, PLZ."""
    words = words_of(header)
    joined = "".join(words)
    return bool(_POSTAL_CODES & {*words, joined}) or joined in ("codepostal", "codigopostal", "postal", "cep")


def is_coordinate(header: str, low: float, high: float) -> bool:
    """Whether numbers from `low` to `high` under this header are latitudes or longitudes."""
    words = set(words_of(header))
    return bool((words & _LATITUDES and -90 <= low <= high <= 90) or (words & _LONGITUDES and -180 <= low <= high <= 180))


def are_coordinates(texts: Sequence[str]) -> bool:
    """Whether nearly all texts are a latitude and a longitude, as in "52.52, 13.40"."""
    return bool(texts) and sum(bool(_PAIR.fullmatch(text.strip("() "))) for text in texts) >= 0.9 * len(texts)
