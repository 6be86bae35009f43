"""Tokens: ours are accepted, and everything that is not exactly one of ours is refused."""

import base64
import hashlib
import hmac
import json
import time
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from retainstream.accounts import tokens
from retainstream.accounts.tokens import InvalidToken, Realm, VerifyingKey

PRIVATE = ec.generate_private_key(ec.SECP256R1())
STRANGER = ec.generate_private_key(ec.SECP256R1())
REALM = Realm("https://issuer.example", "retainstream")
NOW = int(time.time())


def der(key: Any) -> bytes:
    encoded: bytes = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return encoded


def sign(message: bytes) -> bytes:
    return PRIVATE.sign(message, ec.ECDSA(hashes.SHA256()))


KEY = VerifyingKey(der(PRIVATE))
HEADER = {"alg": "ES256", "typ": "at+jwt", "kid": KEY.kid}
CLAIMS = {
    "iss": REALM.issuer,
    "aud": REALM.audience,
    "sub": "ann@example.com",
    "jti": "0123456789abcdef",
    "iat": NOW,
    "exp": NOW + 86_400,
}


def encoded(value: Any) -> str:
    text = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


def forged(header: Any = HEADER, claims: Any = CLAIMS, key: ec.EllipticCurvePrivateKey = PRIVATE) -> str:
    """A token with a good signature over anything at all."""
    signing_input = f"{encoded(header)}.{encoded(claims)}".encode()
    signature = jwt.algorithms.ECAlgorithm(jwt.algorithms.ECAlgorithm.SHA256).sign(signing_input, key)
    return f"{signing_input.decode()}.{encoded(signature)}"


def verify(token: str, now: float = NOW) -> tokens.Claims:
    return tokens.verify(token, KEY, realm=REALM, now=now)


def our_token() -> str:
    return tokens.issue("ann@example.com", issued_at=NOW, realm=REALM, kid=KEY.kid, sign=sign)[0]


def without(mapping: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in mapping.items() if key != name}


def test_the_forgery_of_the_tests_is_good_when_nothing_is_wrong_with_it() -> None:
    assert verify(forged()).sub == "ann@example.com"


@settings(max_examples=50, deadline=None)
@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=254), st.integers(0, 2**40))
def test_what_was_issued_is_what_is_read(subject: str, issued_at: int) -> None:
    token, claims = tokens.issue(subject, issued_at=issued_at, realm=REALM, kid=KEY.kid, sign=sign)
    assert verify(token, now=issued_at) == claims
    assert (claims.sub, claims.iat, claims.exp) == (subject, issued_at, issued_at + 24 * 3600)
    assert verify(token, now=claims.exp - 1) == claims
    with pytest.raises(InvalidToken, match="expired"):
        verify(token, now=claims.exp)
    with pytest.raises(InvalidToken, match="future"):
        verify(token, now=issued_at - 6)


def test_any_verifier_of_the_standard_accepts_our_tokens() -> None:
    decoded = jwt.decode_complete(our_token(), KEY.key, algorithms=["ES256"], audience="retainstream", issuer=REALM.issuer)
    assert decoded["header"] == HEADER
    assert decoded["payload"]["sub"] == "ann@example.com"


def test_every_token_has_an_id_of_its_own() -> None:
    assert len({verify(our_token()).jti for _ in range(50)}) == 50


def test_the_key_is_named_by_its_thumbprint() -> None:
    numbers = PRIVATE.public_key().public_numbers()
    x, y = (encoded(number.to_bytes(32)) for number in (numbers.x, numbers.y))
    canonical = f'{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}'.encode()
    assert KEY.kid == encoded(hashlib.sha256(canonical).digest())


def test_a_key_of_another_kind_is_not_taken() -> None:
    for key in (ec.generate_private_key(ec.SECP384R1()), rsa.generate_private_key(65_537, 2048)):
        with pytest.raises(TypeError):
            VerifyingKey(der(key))


def hmac_signed(secret: bytes) -> str:
    signing_input = f"{encoded({**HEADER, 'alg': 'HS256'})}.{encoded(CLAIMS)}"
    return f"{signing_input}.{encoded(hmac.digest(secret, signing_input.encode(), 'sha256'))}"


PEM = PRIVATE.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
RSA = rsa.generate_private_key(65_537, 2048)
STRANGERS_JWK = jwt.algorithms.ECAlgorithm.to_jwk(STRANGER.public_key(), as_dict=True)

OTHER_HEADERS = {
    "none, unsigned": f"{encoded({**HEADER, 'alg': 'none'})}.{encoded(CLAIMS)}.",
    "None, unsigned": f"{encoded({**HEADER, 'alg': 'None'})}.{encoded(CLAIMS)}.",
    "none, signed": forged({**HEADER, "alg": "none"}),
    "HS256 with the public key as PEM": hmac_signed(PEM),
    "HS256 with the public key as DER": hmac_signed(der(PRIVATE)),
    "RS256": jwt.encode(CLAIMS, RSA, algorithm="RS256", headers={"kid": KEY.kid, "typ": "at+jwt"}),
    "ES384 stated": forged({**HEADER, "alg": "ES384"}),
    "es256 in small letters": forged({**HEADER, "alg": "es256"}),
    "no algorithm": forged(without(HEADER, "alg")),
    "no type": forged(without(HEADER, "typ")),
    "another type": forged({**HEADER, "typ": "JWT"}),
    "no kid": forged(without(HEADER, "kid")),
    "unknown kid": forged({**HEADER, "kid": "unknown"}),
    "a path as kid": forged({**HEADER, "kid": "../../dev/null"}),
    "a number as kid": forged({**HEADER, "kid": 7}),
    "a stranger's kid and signature": forged({**HEADER, "kid": VerifyingKey(der(STRANGER)).kid}, key=STRANGER),
    "jwk": forged({**HEADER, "jwk": STRANGERS_JWK}, key=STRANGER),
    "jwk, signed well": forged({**HEADER, "jwk": STRANGERS_JWK}),
    "jku": forged({**HEADER, "jku": "https://attacker.example/keys"}),
    "x5u": forged({**HEADER, "x5u": "https://attacker.example/cert"}),
    "crit": forged({**HEADER, "crit": ["exp"]}),
    "b64": forged({**HEADER, "b64": False, "crit": ["b64"]}),
    "zip": forged({**HEADER, "zip": "DEF"}),
    "algorithm twice": forged(json.dumps(HEADER).replace("{", '{"alg": "none", ').encode()),
    "a list": forged([HEADER]),
    "null": forged(None),
    "not JSON": forged(b"{"),
    "not UTF-8": forged(b"\xff\xfe"),
    "deep": forged(b"[" * 4000),
}


@pytest.mark.parametrize("token", OTHER_HEADERS.values(), ids=OTHER_HEADERS.keys())
def test_another_header_is_refused(token: str) -> None:
    with pytest.raises(InvalidToken):
        verify(token)


OTHER_CLAIMS: dict[str, Any] = {
    **{f"no {name}": without(CLAIMS, name) for name in CLAIMS},
    **{f"null {name}": {**CLAIMS, name: None} for name in CLAIMS},
    **{f"a list as {name}": {**CLAIMS, name: [CLAIMS[name]]} for name in CLAIMS},
    "another issuer": {**CLAIMS, "iss": "https://issuer.example.attacker.example"},
    "another audience": {**CLAIMS, "aud": "retainstream2"},
    "two audiences": {**CLAIMS, "aud": ["retainstream", "other"]},
    "empty subject": {**CLAIMS, "sub": ""},
    "long subject": {**CLAIMS, "sub": "a" * 255},
    "short id": {**CLAIMS, "jti": "1"},
    "from the future": {**CLAIMS, "iat": NOW + 60, "exp": NOW + 60 + 86_400},
    "expired": {**CLAIMS, "iat": NOW - 86_400, "exp": NOW},
    "for ten years": {**CLAIMS, "exp": NOW + 10 * 365 * 86_400},
    "time as text": {**CLAIMS, "exp": str(NOW + 86_400)},
    "time as fraction": {**CLAIMS, "iat": NOW + 0.5},
    "time as truth": {**CLAIMS, "iat": True},
    "time before time": {**CLAIMS, "iat": -1, "exp": 86_399},
    "an endless number": json.dumps(CLAIMS).replace(str(CLAIMS["exp"]), "Infinity").encode(),
    "no number": json.dumps(CLAIMS).replace(str(CLAIMS["exp"]), "NaN").encode(),
    "a huge number": json.dumps(CLAIMS).replace(str(CLAIMS["exp"]), "1" * 5000).encode(),
    "another claim": {**CLAIMS, "role": "admin"},
    "subject twice": json.dumps(CLAIMS).replace("{", '{"sub": "alex@example.com", ').encode(),
    "a list": [CLAIMS],
    "text": "claims",
    "nothing": b"",
    "not UTF-8": b"\xff\xfe",
    "deep": b"[" * 4000,
}


@pytest.mark.parametrize("claims", OTHER_CLAIMS.values(), ids=OTHER_CLAIMS.keys())
def test_other_claims_are_refused_though_signed_by_our_key(claims: Any) -> None:
    with pytest.raises(InvalidToken):
        verify(forged(claims=claims))


def test_a_small_difference_of_clocks_is_forgiven() -> None:
    assert verify(our_token(), now=NOW - 5).iat == NOW


def test_a_changed_payload_is_refused() -> None:
    header, _, signature = our_token().split(".")
    with pytest.raises(InvalidToken):
        verify(f"{header}.{encoded({**CLAIMS, 'sub': 'alex@example.com'})}.{signature}")


def test_a_strangers_signature_is_refused() -> None:
    with pytest.raises(InvalidToken):
        verify(forged(key=STRANGER))


@pytest.mark.parametrize(
    "signature", ["", "AA", encoded(bytes(64)), encoded(b"\xff" * 64), encoded(sign(b"x"))], ids=["none", "short", "zeros", "ones", "DER"]
)
def test_a_signature_of_nothing_is_refused(signature: str) -> None:
    with pytest.raises(InvalidToken):
        verify(f"{our_token().rpartition('.')[0]}.{signature}")


def test_every_truncation_is_refused() -> None:
    token = our_token()
    for length in range(len(token)):
        with pytest.raises(InvalidToken):
            verify(token[:length])


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_any_changed_character_is_refused(data: st.DataObject) -> None:
    token = our_token()
    place = data.draw(st.integers(0, len(token) - 1))
    letter = data.draw(st.characters(codec="utf-8").filter(lambda other: other != token[place]))
    with pytest.raises(InvalidToken):
        verify(token[:place] + letter + token[place + 1 :])


@pytest.mark.parametrize("added", ["=", "==", ".", ".x", " ", "\n", "\x00"])
def test_a_token_has_one_spelling(added: str) -> None:
    for spelling in (our_token() + added, added + our_token(), our_token().replace(".", added + ".")):
        with pytest.raises(InvalidToken):
            verify(spelling)


@pytest.mark.parametrize("length", [8193, 100_000])
def test_a_token_longer_than_any_of_ours_is_refused_unread(length: int) -> None:
    with pytest.raises(InvalidToken, match="longer"):
        verify("a" * length)


@given(st.text(max_size=300))
def test_any_text_is_refused(text: str) -> None:
    with pytest.raises(InvalidToken):
        verify(text)


@pytest.mark.parametrize(
    "token",
    [*OTHER_HEADERS.values(), *(forged(claims=claims) for claims in OTHER_CLAIMS.values())],
    ids=[*OTHER_HEADERS, *OTHER_CLAIMS],
)
def test_a_refusal_holds_nothing_of_the_token(token: str) -> None:
    with pytest.raises(InvalidToken) as refusal:
        verify(token)
    assert refusal.value.__cause__ is None
    assert "ann@" not in str(refusal.value)
    assert not any(part and part in str(refusal.value) for part in token.split("."))
