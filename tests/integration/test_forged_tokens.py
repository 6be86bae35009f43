"""Tokens that are not ours, sent to every kind of door: each is refused, and all refusals are one."""

import base64
import hmac
import json
import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import load_der_public_key
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from retainstream.accounts.passwords import hashed
from retainstream.accounts.tokens import VerifyingKey
from retainstream.roles import Role
from retainstream.settings import settings
from retainstream.storage.clients import dynamodb, kms
from retainstream.storage.errors import Conflict
from retainstream.storage.users import User, Users
from tests.conftest import account
from tests.integration.conftest import http_event, lambda_context, load_function
from tests.stored import stored_items

HASH = hashed("four unrelated words here")
EMAIL = "ann@example.com"
STRANGER = ec.generate_private_key(ec.SECP256R1())
RSA = rsa.generate_private_key(65_537, 2048)
DAY = 86_400
REFUSED = {"refused": "1"}
OF_ITS_OWN = {"RateLimit-Remaining", "RateLimit-Reset", "X-Request-Id"}


def encoded(value: Any) -> str:
    text = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


def signature_of(text: bytes) -> bytes:
    """Good for texts as short as KMS takes."""
    answer = kms().sign(KeyId=settings().signing_key_id, Message=text[:4096], SigningAlgorithm="ECDSA_SHA_256", MessageType="RAW")
    return answer["Signature"]


@dataclass(frozen=True)
class Forge:
    """The stack's own key at work for whoever wants to see what the doors look at besides the signature."""

    der: bytes
    now: int

    @property
    def kid(self) -> str:
        return VerifyingKey(self.der).kid

    @property
    def pem(self) -> bytes:
        return load_der_public_key(self.der).public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)

    def header(self, **other: Any) -> dict[str, Any]:
        return {"alg": "ES256", "typ": "at+jwt", "kid": self.kid, **other}

    def claims(self, **other: Any) -> dict[str, Any]:
        claims = {"iss": settings().token_issuer, "aud": settings().token_audience, "sub": EMAIL, "jti": "0123456789abcdef"}
        return {**claims, "iat": self.now, "exp": self.now + DAY, **other}

    def signed(self, header: Any = None, claims: Any = None) -> str:
        """With a good signature of the stack's own key."""
        text = f"{encoded(self.header() if header is None else header)}.{encoded(self.claims() if claims is None else claims)}"
        r, s = decode_dss_signature(signature_of(text.encode()))
        return f"{text}.{encoded(r.to_bytes(32) + s.to_bytes(32))}"

    def by_stranger(self, **header: Any) -> str:
        return str(jwt.encode(self.claims(), STRANGER, algorithm="ES256", headers=self.header(**header)))

    def hmac(self, secret: bytes) -> str:
        text = f"{encoded(self.header(alg='HS256'))}.{encoded(self.claims())}"
        return f"{text}.{encoded(hmac.digest(secret, text.encode(), 'sha256'))}"


@pytest.fixture(scope="module")
def forge() -> Iterator[Forge]:
    """A stack for all tests of this file: none of them leaves anything behind but counts."""
    with account():
        load_function.cache_clear()
        Users().add(User(EMAIL, "Ann", Role.ADMIN, HASH, "2026-01-01T00:00:00+00:00"))
        yield Forge(kms().get_public_key(KeyId=settings().signing_key_id)["PublicKey"], int(time.time()))
    load_function.cache_clear()


@pytest.fixture(autouse=True)
def _nothing_counted(forge: Forge) -> None:
    table = settings().rate_limits_table
    for item in stored_items(table):
        dynamodb().delete_item(TableName=table, Key={"key": item["key"]})


def authorized(header: str | None, **headers: str) -> dict[str, Any]:
    event = {
        "version": "2.0",
        "type": "REQUEST",
        "identitySource": [header] if header else None,
        "headers": {**headers, **({"authorization": header} if header is not None else {})},
        "requestContext": {"requestId": "request-1", "http": {"method": "GET", "path": "/api/auth/me"}},
    }
    answer = load_function("authorizer").handler(event, lambda_context("authorizer"))
    assert answer["isAuthorized"] is True
    return dict(answer["context"])


def sent(header: str | None) -> dict[str, Any]:
    """What a client sees, but for what every answer has of its own: the request's id and the count."""
    event = http_event("GET", "/api/auth/users", headers={"authorization": header or ""}, principal=authorized(header))
    answer: dict[str, Any] = load_function("auth").handler(event, lambda_context("auth"))
    body = json.loads(answer["body"])
    assert body.pop("request_id", None) or "data" in body
    headers = {name: value for name, value in answer["headers"].items() if name not in OF_ITS_OWN}
    return {"status": answer["statusCode"], "body": body, "headers": headers, "cookies": answer.get("cookies")}


def changed(text: dict[str, Any], old: str, new: str) -> bytes:
    spelled = json.dumps(text)
    assert old in spelled
    return spelled.replace(old, new, 1).encode()


def in_header(**other: Any) -> Callable[[Forge], str]:
    return lambda forge: forge.signed(header=forge.header(**other))


def in_claims(**other: Any) -> Callable[[Forge], str]:
    return lambda forge: forge.signed(claims=forge.claims(**other))


def spelled_header(old: str, new: str) -> Callable[[Forge], str]:
    return lambda forge: forge.signed(header=changed(forge.header(), old, new))


def spelled_claims(old: str, new: str) -> Callable[[Forge], str]:
    return lambda forge: forge.signed(claims=changed(forge.claims(), old, new))


def parts(forge: Forge) -> list[str]:
    return forge.signed().split(".")


def moved(seconds: float) -> Callable[[Forge], str]:
    return lambda forge: forge.signed(claims=forge.claims(iat=int(forge.now + seconds), exp=int(forge.now + seconds) + DAY))


JWK = jwt.algorithms.ECAlgorithm.to_jwk(STRANGER.public_key(), as_dict=True)
FORGERIES: dict[str, Callable[[Forge], str]] = {
    "alg none, unsigned": lambda f: f"{encoded(f.header(alg='none'))}.{encoded(f.claims())}.",
    "alg NoNe, signed": in_header(alg="NoNe"),
    "alg none, our signature": in_header(alg="none"),
    "alg empty": in_header(alg=""),
    "alg null": in_header(alg=None),
    "alg a list": in_header(alg=["ES256", "none"]),
    "HS256 with the public key as PEM": lambda f: f.hmac(f.pem),
    "HS256 with the public key as DER": lambda f: f.hmac(f.der),
    "HS256 with the kid": lambda f: f.hmac(f.kid.encode()),
    "HS256 with nothing": lambda f: f.hmac(b""),
    "RS256": lambda f: jwt.encode(f.claims(), RSA, algorithm="RS256", headers={"kid": f.kid, "typ": "at+jwt"}),
    "PS256": lambda f: jwt.encode(f.claims(), RSA, algorithm="PS256", headers={"kid": f.kid, "typ": "at+jwt"}),
    "ES256K": in_header(alg="ES256K"),
    "ES512": in_header(alg="ES512"),
    "EdDSA": in_header(alg="EdDSA"),
    "kid of nobody": in_header(kid="nobody"),
    "kid of a stranger who signed": lambda f: f.by_stranger(kid=JWK.get("kid", "stranger")),
    "our kid, a stranger signed": lambda f: f.by_stranger(),
    "kid empty": in_header(kid=""),
    "kid a path": in_header(kid="../../../../dev/null"),
    "kid a query": in_header(kid="x' UNION SELECT 'key"),
    "kid an address": in_header(kid="https://attacker.example/key"),
    "kid a number": in_header(kid=0),
    "kid with a NUL": lambda f: f.signed(header=f.header(kid=f.kid + "\x00")),
    "jwk": lambda f: f.by_stranger(jwk=JWK),
    "jwk, signed by us": in_header(jwk=JWK),
    "jku": lambda f: f.by_stranger(jku="https://attacker.example/keys.json"),
    "jku, signed by us": in_header(jku="https://attacker.example/keys.json"),
    "x5u": in_header(x5u="https://attacker.example/cert.pem"),
    "x5c": in_header(x5c=["MIIB"]),
    "x5t": in_header(x5t="AAAA"),
    "crit": in_header(crit=["exp"]),
    "b64 false": in_header(b64=False, crit=["b64"]),
    "zip": in_header(zip="DEF"),
    "cty nested": in_header(cty="JWT"),
    "typ JWT": in_header(typ="JWT"),
    "typ in capitals": in_header(typ="AT+JWT"),
    "typ with application": in_header(typ="application/at+jwt"),
    "typ null": in_header(typ=None),
    "alg twice, ours last": spelled_header('{"alg"', '{"alg": "none", "alg"'),
    "alg twice, ours first": spelled_header('"alg": "ES256"', '"alg": "ES256", "alg": "none"'),
    "alg twice, the same": spelled_header('"alg": "ES256"', '"alg": "ES256", "alg": "ES256"'),
    "alg twice, one escaped": spelled_header('"alg": "ES256"', '"alg": "none", "\\u0061lg": "ES256"'),
    "kid twice": spelled_header('"kid"', '"kid": "nobody", "kid"'),
    "header with a BOM": lambda f: f.signed(header=b"\xef\xbb\xbf" + json.dumps(f.header()).encode()),
    "header in UTF-16": lambda f: f.signed(header=json.dumps(f.header()).encode("utf-16")),
    "header a list": lambda f: f.signed(header=[f.header()]),
    "header text": lambda f: f.signed(header="header"),
    "header empty": lambda f: f.signed(header={}),
    "header deep": lambda f: f.signed(header=b"[" * 3000),
    "iss of another stack": in_claims(iss="https://other.example"),
    "iss longer": in_claims(iss="https://test.example.attacker.example"),
    "iss with a slash": in_claims(iss="https://test.example/"),
    "iss a list": in_claims(iss=["https://test.example"]),
    "aud of another": in_claims(aud="other"),
    "aud of two": in_claims(aud=["retainstream", "other"]),
    "aud a list of ours": in_claims(aud=["retainstream"]),
    "aud in capitals": in_claims(aud="RETAINSTREAM"),
    "aud absent": lambda f: f.signed(claims={name: value for name, value in f.claims().items() if name != "aud"}),
    "from the future": moved(60),
    "from the far future": moved(10 * 365 * DAY),
    "expired": moved(-DAY),
    "expired long ago": moved(-1000 * DAY),
    "for longer than ours": lambda f: f.signed(claims=f.claims(exp=f.now + 10 * DAY)),
    "for a second longer": lambda f: f.signed(claims=f.claims(exp=f.now + DAY + 1)),
    "iat a fraction": lambda f: f.signed(claims=f.claims(iat=f.now + 0.0)),
    "exp a fraction": lambda f: f.signed(claims=f.claims(exp=f.now + DAY + 0.0)),
    "exp as an exponent": spelled_claims(', "exp": ', ', "exp": 1e0'),
    "exp true": in_claims(exp=True),
    "exp text": lambda f: f.signed(claims=f.claims(exp=str(f.now + DAY))),
    "exp null": in_claims(exp=None),
    "exp huge": in_claims(exp=10**400),
    "exp endless": spelled_claims(', "exp": ', ', "exp": Infinity, "x": '),
    "exp not a number": spelled_claims(', "exp": ', ', "exp": NaN, "x": '),
    "exp of 5,000 digits": spelled_claims(', "exp": ', f', "exp": {"9" * 5000}'),
    "exp negative": in_claims(iat=-DAY, exp=0),
    "iat minus zero": spelled_claims('"iat": ', '"iat": -0, "iat2": '),
    "nbf in the future": lambda f: f.signed(claims=f.claims(nbf=f.now + 3600)),
    "nbf in the past": lambda f: f.signed(claims=f.claims(nbf=0)),
    "nbf text": in_claims(nbf="never"),
    "a role of its own": in_claims(role="admin"),
    "a scope": in_claims(scope="admin"),
    "sub of nobody": in_claims(sub="nobody@example.com"),
    "sub in capitals": in_claims(sub="ANN@example.com"),
    "sub in Cyrillic": in_claims(sub="\u0430nn@example.com"),
    "sub in full width": in_claims(sub="\uff41nn@example.com"),
    "sub with a dotless i": in_claims(sub="ann@ex\u0131mple.com"),
    "sub with a combining accent": in_claims(sub="a\u0300nn@example.com"),
    "sub with a zero-width space": in_claims(sub="ann\u200b@example.com"),
    "sub written right to left": in_claims(sub="\u202eann@example.com"),
    "sub with a NUL": in_claims(sub="ann@example.com\x00"),
    "sub with a space": in_claims(sub="ann@example.com "),
    "sub half a character": spelled_claims("ann@example.com", "ann@example.com\\ud800"),
    "sub the list of administrators": in_claims(sub="administrators"),
    "sub a list": in_claims(sub=[EMAIL]),
    "sub an object": in_claims(sub={"S": EMAIL}),
    "sub empty": in_claims(sub=""),
    "sub twice, ours last": spelled_claims('"sub"', '"sub": "nobody@example.com", "sub"'),
    "sub twice, ours first": spelled_claims('"jti"', '"sub": "nobody@example.com", "jti"'),
    "sub twice, one escaped": spelled_claims('"sub"', '"\\u0073ub": "nobody@example.com", "sub"'),
    "jti empty": in_claims(jti=""),
    "jti a number": in_claims(jti=1234567890123456),
    "jti long": in_claims(jti="a" * 65),
    "claims in UTF-16": lambda f: f.signed(claims=json.dumps(f.claims()).encode("utf-16")),
    "claims with a BOM": lambda f: f.signed(claims=b"\xef\xbb\xbf" + json.dumps(f.claims()).encode()),
    "claims a list": lambda f: f.signed(claims=[f.claims()]),
    "claims deep": lambda f: f.signed(claims=b'{"a":' * 1000),
    "claims a token": lambda f: f.signed(claims=f.signed().encode()),
    "payload changed": lambda f: ".".join([parts(f)[0], encoded(f.claims(sub="eve@example.com")), parts(f)[2]]),
    "header changed": lambda f: ".".join([encoded(f.header(alg="none")), *parts(f)[1:]]),
    "signature of another": lambda f: ".".join(
        [*f.signed().split(".")[:2], f.signed(claims=f.claims(jti="fedcba9876543210")).split(".")[2]]
    ),
    "signature absent": lambda f: ".".join(parts(f)[:2]) + ".",
    "signature of zeros": lambda f: ".".join([*parts(f)[:2], encoded(bytes(64))]),
    "signature of r = s = n": lambda f: ".".join(
        [*parts(f)[:2], encoded(bytes.fromhex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551") * 2)]
    ),
    "signature in DER": lambda f: ".".join([*parts(f)[:2], encoded(signature_of(".".join(parts(f)[:2]).encode()))]),
    "signature with a byte more": lambda f: f.signed() + "AA",
    "a letter short": lambda f: f.signed()[:-1],
    "half": lambda f: f.signed()[: len(f.signed()) // 2],
    "two parts": lambda f: ".".join(parts(f)[:2]),
    "four parts": lambda f: f.signed() + ".AAAA",
    "five parts, as if encrypted": lambda f: f.signed() + ".AAAA.AAAA",
    "padded": lambda f: ".".join(part + "=" * (-len(part) % 4) for part in parts(f)),
    "padded at the end": lambda f: f.signed() + "==",
    "in base64 with + and /": lambda f: f.signed(claims=f.claims(jti="???>>>???>>>???>")).replace("_", "/").replace("-", "+"),
    "with a line break": lambda f: f.signed().replace(".", ".\n", 1),
    "quoted": lambda f: f'"{f.signed()}"',
    "percent-encoded": lambda f: f.signed().replace(".", "%2E"),
    "100 kB of letters": lambda _: "a" * 100_000,
    "100 kB in three parts": lambda _: ".".join(["a" * 33_333] * 3),
    "100 kB, signed": lambda f: f.signed(header=f.header(x="y" * 75_000)),
    "100 kB of dots": lambda _: "." * 100_000,
    "an undefined": lambda _: "undefined",
    "letters from elsewhere": lambda f: f.signed().replace("e", "\u0435", 1),
    "full-width dots": lambda f: f.signed().replace(".", "\uff0e"),
}


@pytest.fixture(scope="module")
def refusal(forge: Forge) -> dict[str, Any]:
    """The one answer there is to a token that is not ours."""
    answer = sent("Bearer not-a-token")
    assert answer["status"] == 401
    assert answer["body"]["type"] == "urn:retainstream:problem:unauthenticated"
    assert answer["headers"]["WWW-Authenticate"] == "Bearer"
    return answer


def test_the_forge_makes_good_tokens_when_nothing_is_wrong_with_them(forge: Forge) -> None:
    assert authorized(f"Bearer {forge.signed()}")["userId"] == EMAIL
    assert sent(f"Bearer {forge.signed()}")["status"] == 200


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forgery_is_refused_like_any_other_and_nothing_of_it_is_logged(
    forge: Forge, refusal: dict[str, Any], name: str, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.INFO)
    token = FORGERIES[name](forge)
    capsys.readouterr()
    caplog.clear()
    assert sent(f"Bearer {token}") == refusal
    printed = capsys.readouterr()
    told = caplog.text + "".join(str(record.__dict__) for record in caplog.records) + printed.out + printed.err
    assert "token refused" in told
    assert "ann" not in told
    assert not any(len(part) > 8 and part in told for part in token.split("."))


HEADERS: dict[str, Callable[[str], str]] = {
    "nothing": lambda _: "",
    "the scheme alone": lambda _: "Bearer",
    "the scheme and a space": lambda _: "Bearer ",
    "no scheme": lambda token: token,
    "two spaces": lambda token: f"Bearer  {token}",
    "a tab": lambda token: f"Bearer\t{token}",
    "a space before": lambda token: f" Bearer {token}",
    "a space after": lambda token: f"Bearer {token} ",
    "a colon": lambda token: f"Bearer: {token}",
    "no space": lambda token: f"Bearer{token}",
    "twice the scheme": lambda token: f"Bearer Bearer {token}",
    "another scheme": lambda token: f"Token {token}",
    "Basic": lambda token: "Basic " + base64.b64encode(f"{EMAIL}:{token}".encode()).decode(),
    "DPoP": lambda token: f"DPoP {token}",
    "a parameter": lambda token: f"Bearer token={token}",
    "two headers, joined": lambda token: f"Bearer {token},Bearer {token}",
    "two headers, ours last": lambda token: f"Bearer x,Bearer {token}",
    "two headers, ours first": lambda token: f"Bearer {token}, Basic eDp5",
    "a scheme that looks like it": lambda token: f"Beare\u0433 {token}",
    "a scheme that folds to it": lambda token: f"\u212aearer {token}",
    "a no-break space": lambda token: f"Bearer\u00a0{token}",
}


@pytest.mark.parametrize("name", HEADERS)
def test_a_header_of_another_form_is_refused_though_the_token_is_good(forge: Forge, refusal: dict[str, Any], name: str) -> None:
    assert sent(HEADERS[name](forge.signed())) == refusal


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "bEARER"])
def test_the_scheme_may_be_written_as_one_likes(forge: Forge, scheme: str) -> None:
    assert authorized(f"{scheme} {forge.signed()}")["userId"] == EMAIL


@pytest.mark.parametrize("where", ["cookie", "x-access-token", "x-api-key", "proxy-authorization", "x-authorization", "authorization2"])
def test_a_token_elsewhere_is_none(forge: Forge, where: str) -> None:
    assert authorized(None, **{where: f"Bearer {forge.signed()}"}) == REFUSED


def test_revoked_disabled_or_gone_is_refused_with_the_same_words(forge: Forge, refusal: dict[str, Any]) -> None:
    stored = Users().get(EMAIL)
    assert stored
    Users().add(User("other@example.com", "Other", Role.ADMIN, HASH, "2026-01-01T00:00:00+00:00"))
    token = forge.signed(claims=forge.claims(jti="0000000000000001"))
    dynamodb().put_item(
        TableName=settings().revoked_tokens_table, Item={"jti": {"S": "0000000000000001"}, "expires_at": {"N": str(forge.now + DAY)}}
    )
    assert sent(f"Bearer {token}") == refusal
    good = f"Bearer {forge.signed()}"
    assert sent(good)["status"] == 200
    disabled = Users().change(stored, role=Role.ADMIN, status="disabled", tokens_valid_from=0)
    assert sent(good) == refusal
    as_it_was = dynamodb().get_item(TableName=settings().users_table, Key={"email": {"S": EMAIL}})["Item"] | {"status": {"S": "active"}}
    newer = Users().change(disabled, role=Role.ADMIN, status="active", tokens_valid_from=forge.now + 1)
    assert sent(good) == refusal
    with pytest.raises(Conflict):
        Users().change(newer, role=Role.ADMIN, status="active", tokens_valid_from=0)
    later = forge.claims(iat=forge.now + 1, exp=forge.now + 1 + DAY)
    assert sent(f"Bearer {forge.signed(claims=later)}")["status"] == 200
    dynamodb().put_item(TableName=settings().users_table, Item=as_it_was)  # the other tests of this file use the account
    assert sent(good)["status"] == 200


@st.composite
def mutations(draw: st.DrawFn) -> Callable[[str], str]:
    """Something done to a text."""
    kind = draw(st.sampled_from(("replace", "insert", "delete", "swap", "repeat", "case", "append", "move")))
    place, other = draw(st.floats(0, 1, exclude_max=True)), draw(st.floats(0, 1, exclude_max=True))
    letters = draw(st.text(st.sampled_from("AEZaez09-_.=+/ \n\x00\u0435"), min_size=1, max_size=3))

    def mutate(token: str) -> str:
        i, j = sorted((int(place * len(token)), int(other * len(token))))
        match kind:
            case "replace":
                return token[:i] + letters + token[i + len(letters) :]
            case "insert":
                return token[:i] + letters + token[i:]
            case "delete":
                return token[:i] + token[j:]
            case "swap":
                return token[:i] + token[j : j + 1] + token[i + 1 : j] + token[i : i + 1] + token[j + 1 :]
            case "repeat":
                return token[:j] + token[i:j] + token[j:]
            case "case":
                return token[:i] + token[i:j].swapcase() + token[j:]
            case "append":
                return token + letters
            case _:
                return token[j:] + token[i:j] + token[:i]

    return mutate


@pytest.fixture(scope="module")
def one_token(forge: Forge) -> str:
    return forge.signed()


@examples(max_examples=600, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(mutations(), min_size=1, max_size=3))
def test_whatever_is_done_to_a_token_it_is_refused_or_is_the_same(one_token: str, changes: list[Callable[[str], str]]) -> None:
    token = one_token
    for change in changes:
        token = change(token)
    context = authorized(f"Bearer {token}")
    assert context == REFUSED or token == one_token


def test_the_last_letter_has_one_spelling(one_token: str) -> None:
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    accepted = [letter for letter in alphabet if authorized(f"Bearer {one_token[:-1]}{letter}") != REFUSED]
    assert accepted == [one_token[-1]]
