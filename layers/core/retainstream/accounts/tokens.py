"""Access tokens: JSON Web Tokens signed with ES256 by a key that stays in KMS, verified with its public half.

RFC 7519 (claims), RFC 7638 (the key's thumbprint is its `kid`), RFC 8725 (pinned algorithm, explicit type, no other header
fields).
"""

import base64
import hashlib
import json
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key
from jwt.algorithms import ECAlgorithm
from jwt.utils import base64url_decode, der_to_raw_signature
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from retainstream.settings import TOKEN_LIFETIME_SECONDS
from retainstream.strict_json import strict_json

ALGORITHM = "ES256"
TOKEN_TYPE = "at+jwt"  # noqa: S105
CLOCK_LEEWAY_SECONDS = 5
LONGEST_TOKEN = 8192

_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")

type Sign = Callable[[bytes], bytes]
"""Signs a message with ECDSA over SHA-256 on P-256, and returns the DER signature."""


class InvalidToken(ValueError):
    """The token is not valid. The message names the broken rule and holds nothing of the token."""


class Claims(BaseModel):
    """The claims of a token. Times are epoch seconds."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    iss: str
    aud: str
    sub: str = Field(min_length=1, max_length=254)
    jti: str = Field(min_length=16, max_length=64)
    iat: int = Field(ge=0)
    exp: int


class VerifyingKey:
    """The public half of a signing key, and its RFC 7638 thumbprint."""

    def __init__(self, der: bytes) -> None:
        key = load_der_public_key(der)
        if not isinstance(key, EllipticCurvePublicKey) or not isinstance(key.curve, SECP256R1):
            raise TypeError("tokens are signed by a key on the curve P-256")
        self.key = key
        canonical = json.dumps(ECAlgorithm.to_jwk(key, as_dict=True), separators=(",", ":"), sort_keys=True)
        self.kid = base64.urlsafe_b64encode(hashlib.sha256(canonical.encode()).digest()).decode().rstrip("=")


@dataclass(frozen=True)
class Realm:
    """The issuer and the audience of tokens."""

    issuer: str
    audience: str


def issue(subject: str, *, issued_at: int, realm: Realm, kid: str, sign: Sign) -> tuple[str, Claims]:
    """A token for `subject`, valid for 24 hours from `issued_at` (epoch seconds)."""
    claims = Claims(
        iss=realm.issuer,
        aud=realm.audience,
        sub=subject,
        jti=secrets.token_urlsafe(16),
        iat=issued_at,
        exp=issued_at + TOKEN_LIFETIME_SECONDS,
    )
    signing = jwt.PyJWS(algorithms=[])
    signing.register_algorithm(ALGORITHM, _SignedElsewhere(sign))
    header = {"typ": TOKEN_TYPE, "kid": kid}
    return signing.encode(claims.model_dump_json().encode(), "", algorithm=ALGORITHM, headers=header), claims


def stated_kid(token: str) -> str:
    """The id of the key that a token names. Nothing is verified yet.

    Raises:
        InvalidToken: the header cannot be read, or has other fields than algorithm, type and key.
    """
    if len(token) > LONGEST_TOKEN:
        raise InvalidToken("longer than any of ours")
    if not _COMPACT.fullmatch(token):
        raise InvalidToken("not three parts in base64url")
    try:
        header = strict_json(base64url_decode(token.partition(".")[0]).decode())
    except (ValueError, RecursionError):
        raise InvalidToken("unreadable header") from None
    if not isinstance(header, dict) or header.keys() != {"alg", "typ", "kid"} or not isinstance(header["kid"], str):
        raise InvalidToken("other header fields than ours")
    if (header["alg"], header["typ"]) != (ALGORITHM, TOKEN_TYPE):
        raise InvalidToken("other algorithm or type than ours")
    return header["kid"]


def verify(token: str, key: VerifyingKey, *, realm: Realm, now: float) -> Claims:
    """The claims of a token for which every rule holds. `now` is in epoch seconds.

    Raises:
        InvalidToken: any rule is broken.
    """
    if stated_kid(token) != key.kid:
        raise InvalidToken("signed with another key")
    try:
        payload = jwt.PyJWS(algorithms=[ALGORITHM]).decode(token, key.key, algorithms=[ALGORITHM])
        claims = Claims.model_validate(strict_json(payload.decode()))
    except jwt.InvalidTokenError as error:
        raise InvalidToken(type(error).__name__) from None
    except ValidationError:
        raise InvalidToken("other claims than ours") from None
    except (ValueError, RecursionError):
        raise InvalidToken("unreadable claims") from None
    if (claims.iss, claims.aud) != (realm.issuer, realm.audience):
        raise InvalidToken("for somebody else")
    if claims.iat > now + CLOCK_LEEWAY_SECONDS:
        raise InvalidToken("issued in the future")
    if claims.exp <= now:
        raise InvalidToken("expired")
    if claims.exp - claims.iat != TOKEN_LIFETIME_SECONDS:
        raise InvalidToken("another lifetime than ours")
    return claims


class _SignedElsewhere(ECAlgorithm):
    """PyJWT's ES256, with signatures by the service that keeps the key."""

    def __init__(self, sign: Sign) -> None:
        super().__init__(ECAlgorithm.SHA256)
        self._sign = sign

    def prepare_key(self, key: Any) -> Any:
        return key

    def sign(self, msg: bytes, key: Any) -> bytes:  # noqa: ARG002
        return der_to_raw_signature(self._sign(msg), SECP256R1())
