"""Routes, authorizers and CORS of an HTTP API, from its OpenAPI document."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_ANY = "x-amazon-apigateway-any-method"


@dataclass(frozen=True)
class Authorizer:
    """A REQUEST authorizer. `headers` are its identity source, in lower case; `ttl` is in seconds."""

    name: str
    function: str
    headers: tuple[str, ...]
    ttl: int


@dataclass(frozen=True)
class Route:
    """A route of the API. `segments` is None for $default."""

    method: str
    path: str
    segments: tuple[str, ...] | None
    function: str
    authorizer: Authorizer | None

    @property
    def key(self) -> str:
        """The route key as events carry it."""
        return self.path if self.segments is None else f"{self.method} {self.path}"

    def match(self, segments: tuple[str, ...]) -> dict[str, str] | None:
        """The path parameters when a path of these segments is this route's, else None."""
        if self.segments is None:
            return {}
        parameters: dict[str, str] = {}
        for position, own in enumerate(self.segments):
            if own.endswith("+}"):
                rest = "/".join(segments[position:])
                return {**parameters, own[1:-2]: rest} if rest else None
            if position >= len(segments):
                return None
            if own.startswith("{"):
                if not segments[position]:
                    return None
                parameters[own[1:-1]] = segments[position]
            elif own != segments[position]:
                return None
        return parameters if len(segments) == len(self.segments) else None

    @property
    def rank(self) -> tuple[Any, ...]:
        """Routes in the order API Gateway prefers them: full matches, then greedy ones, then $default; a named method before ANY."""
        if self.segments is None:
            return (2,)
        greedy = self.segments[-1].endswith("+}")
        variables = tuple(segment.startswith("{") for segment in self.segments)
        return (int(greedy), -len(self.segments) if greedy else 0, variables, self.method == "ANY")


class RouteTable:
    """The routes of an API in the order of their preference."""

    def __init__(self, routes: list[Route]) -> None:
        self.routes = sorted(routes, key=lambda route: route.rank)

    @property
    def functions(self) -> frozenset[str]:
        """Names of the functions that answer."""
        return frozenset(route.function for route in self.routes)

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
        """The route for a request, with its path parameters."""
        segments = tuple(path.split("/")[1:])
        for route in self.routes:
            if route.segments is not None and route.method not in ("ANY", method):
                continue
            parameters = route.match(segments)
            if parameters is not None:
                return route, parameters
        return None


@dataclass(frozen=True)
class Cors:
    """The permissions of browsers on other origins."""

    origins: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    exposed: tuple[str, ...] = ()
    max_age: int | None = None
    credentials: bool = False

    def allows(self, origin: str) -> bool:
        scheme = origin.partition("://")[0]
        return any(allowed in ("*", origin, f"{scheme}://*") for allowed in self.origins)

    def response_headers(self, origin: str | None) -> list[tuple[str, str]]:
        """Headers of an ordinary answer; empty for an origin that is not allowed."""
        if origin is None or not self.allows(origin):
            return []
        headers = [("access-control-allow-origin", "*" if "*" in self.origins and not self.credentials else origin)]
        if "*" not in self.origins:
            headers.append(("vary", "origin"))
        if self.exposed:
            headers.append(("access-control-expose-headers", ",".join(self.exposed)))
        if self.credentials:
            headers.append(("access-control-allow-credentials", "true"))
        return headers

    def preflight_headers(self, origin: str | None) -> list[tuple[str, str]]:
        """Headers of the answer to a preflight request."""
        headers = [header for header in self.response_headers(origin) if header[0] != "access-control-expose-headers"]
        if headers:
            headers += [("access-control-allow-methods", ",".join(self.methods)), ("access-control-allow-headers", ",".join(self.headers))]
            if self.max_age is not None:
                headers.append(("access-control-max-age", str(self.max_age)))
        return headers


def routes_of(body: Mapping[str, Any]) -> RouteTable:
    """The routes of an API's OpenAPI document with every intrinsic function resolved.

    Raises:
        ValueError: the document uses a feature that an HTTP API with Lambda proxies does not have.
    """
    schemes = body.get("components", {}).get("securitySchemes", {})
    authorizers = {name: _authorizer(name, scheme) for name, scheme in schemes.items()}
    routes = []
    for path, methods in body["paths"].items():
        default = path.removeprefix("/") == "$default"
        for method, operation in methods.items():
            if method == "parameters":
                continue
            required = next((name for scheme in operation.get("security", []) for name in scheme), "NONE")
            routes.append(
                Route(
                    "ANY" if method == _ANY else method.upper(),
                    "$default" if default else path,
                    None if default else tuple(path.split("/")[1:]),
                    _function(operation["x-amazon-apigateway-integration"]["uri"]),
                    None if required == "NONE" else authorizers[required],
                )
            )
    return RouteTable(routes)


def cors_of(body: Mapping[str, Any]) -> Cors | None:
    """The API's CORS configuration; None without one."""
    configured = body.get("x-amazon-apigateway-cors")
    if not configured:
        return None
    return Cors(
        tuple(configured.get("allowOrigins", ())),
        tuple(configured.get("allowMethods", ())),
        tuple(configured.get("allowHeaders", ())),
        tuple(configured.get("exposeHeaders", ())),
        configured.get("maxAge"),
        bool(configured.get("allowCredentials", False)),
    )


def _authorizer(name: str, scheme: Mapping[str, Any]) -> Authorizer:
    described = scheme["x-amazon-apigateway-authorizer"]
    if described["type"] != "request" or not described.get("enableSimpleResponses"):
        raise ValueError(f"{name}: the local stack supports REQUEST authorizers with simple responses only")
    sources = described.get("identitySource", "")
    sources = sources if isinstance(sources, list) else [source.strip() for source in sources.split(",") if source.strip()]
    headers = []
    for source in sources:
        kind, _, header = source.rpartition(".")
        if kind != "$request.header":
            raise ValueError(f"{name}: the local stack supports headers as identity source only, not {source}")
        headers.append(header.lower())
    return Authorizer(name, _function(described["authorizerUri"]), tuple(headers), int(described.get("authorizerResultTtlInSeconds", 0)))


def _function(uri: str) -> str:
    arn = uri.split("/functions/")[1].removesuffix("/invocations")
    return arn.split(":")[6]
