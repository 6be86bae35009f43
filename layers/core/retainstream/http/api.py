"""The resolver of a module's routes."""

import itertools
import time
from collections.abc import Callable
from functools import cached_property
from http import HTTPStatus
from typing import Any, cast

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.api_gateway import Route
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.event_handler.middlewares import NextMiddleware
from aws_lambda_powertools.event_handler.middlewares.openapi_validation import OpenAPIRequestValidationMiddleware
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError
from aws_lambda_powertools.utilities.typing import LambdaContext

from retainstream.engine.schema.validation import FieldError, UnusableSchema
from retainstream.http.admission import KnownBrowser, Limits, admit
from retainstream.http.body import LARGEST_BODY, read_json
from retainstream.http.documentation import documented_methods
from retainstream.http.events import HttpAnswer, HttpEvent
from retainstream.http.faults import faults_of
from retainstream.http.paging import BadCursor
from retainstream.http.problems import RETRY_SECONDS, Problem, unusable, wrong_method
from retainstream.http.query import check_query
from retainstream.http.routes import LARGEST_BODY as LARGEST_BODY_OF_ROUTE
from retainstream.http.routes import ROLE
from retainstream.http.visitor import network_of
from retainstream.roles import Principal
from retainstream.settings import settings
from retainstream.storage.errors import RequestRefused, StorageUnavailable
from retainstream.storage.rate_limits import AllowanceSpent, RateLimits
from retainstream.storage.request_keys import UsedKey
from retainstream.storage.secret import Secret
from retainstream.telemetry.correlation import following
from retainstream.telemetry.invocation import error_of
from retainstream.telemetry.lines import as_json, logger_of
from retainstream.telemetry.metrics import emf

SECURITY_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class _Door(OpenAPIRequestValidationMiddleware):
    """Admission first, then Powertools' validation of the request."""

    def __init__(self, api: "Api") -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._api = api

    def handler(self, app: Any, next_middleware: NextMiddleware) -> Response[Any]:
        if not app.current_event.path.isprintable():  # Powertools' routes match a path with a newline at its end, too
            raise NotFoundError
        route: Route = app.context["_route"]
        if (methods := self._api.methods_of_fixed_paths.get(app.current_event.path)) and route.method not in methods:
            raise wrong_method(methods)  # /high-risk is not a customer's id
        stated = route.openapi_extensions or {}
        if ROLE in stated:
            self._api.matched = route.path  # set for known routes only: an unknown path may name a customer
            event = cast("HttpEvent", app.current_event.raw_event)
            admission = admit(event, stated, self._api.limits, settings())
            app.append_context(principal=admission.principal, rate_limit_headers=admission.headers)
            check_query(event, {field.alias for field in route.dependant.query_params})
        response = super().handler(app, next_middleware)
        response.headers.update(app.context.get("rate_limit_headers", {}))
        return response

    def _get_body(self, app: Any) -> Any:
        route: Route = app.context["_route"]
        return read_json(app.current_event, (route.openapi_extensions or {}).get(LARGEST_BODY_OF_ROUTE, LARGEST_BODY))


class Api(APIGatewayHttpResolver):
    """Routes of one module. Each route states its role with `requires` or `public`; errors become problem documents.

    `known_browser` is asked when an address has used up its limit.
    """

    def __init__(self, module: str, known_browser: KnownBrowser = lambda _: None) -> None:
        super().__init__(enable_validation=True, response_validation_error_http_code=HTTPStatus.INTERNAL_SERVER_ERROR, serializer=as_json)
        self.module = module
        self.known_browser = known_browser
        self._invocations = itertools.count()
        self._measured: dict[str, float] = {}
        self.matched: str | None = None
        self._request_validation_middleware = _Door(self)
        self._logger = logger_of(module)
        for error, answer in (
            (Problem, self._on_problem),
            (RequestValidationError, self._on_invalid_request),
            (BadCursor, self._on_bad_cursor),
            (StorageUnavailable, self._on_unavailable),
            (RequestRefused, self._on_refused),
            (UsedKey, self._on_used_key),
            (AllowanceSpent, self._on_allowance_spent),
            (UnusableSchema, self._on_unusable_schema),
            (NotFoundError, self._on_no_route),
            (Exception, self._on_unexpected),
        ):
            self.exception_handler(error)(answer)

    @cached_property
    def limits(self) -> Limits:
        arn = settings().pages_secret_arn
        return Limits(RateLimits(), Secret(arn) if arn else None, self.known_browser)

    def network(self) -> str:
        """The network of the request that is being answered."""
        return network_of(cast("HttpEvent", self.current_event.raw_event), self.limits.pages_secret)

    @property
    def caller(self) -> Principal:
        """The caller of a route that asks for a role. A parameter of type `Caller` is the same, at a cost for every request."""
        principal: Principal = self.context["principal"]
        return principal

    def explain[E: Exception](self, error: type[E], problem: Callable[[E], Problem]) -> None:
        """Answers an error of the module's logic with a problem."""
        self.exception_handler(error)(lambda raised: self._problem(problem(raised)))

    @cached_property
    def methods_of_fixed_paths(self) -> dict[str, set[str]]:
        """The methods of every path that has no parameter."""
        methods: dict[str, set[str]] = {}
        for route in self._static_routes:
            methods.setdefault(route.path, set()).add(route.method)
        return methods

    @property
    def stated_routes(self) -> list[Route]:
        """Every route of the module."""
        return [*self._static_routes, *self._dynamic_routes]

    def resolve(self, event: HttpEvent, context: LambdaContext) -> HttpAnswer:  # type: ignore[override]
        """Answers one HTTP API event (payload 2.0)."""
        started = time.perf_counter()
        request_id = event["requestContext"]["requestId"]
        self._measured, self.matched = {}, None
        cold_start = next(self._invocations) == 0
        with following(request_id, request_id=request_id, service=self.module, cold_start=cold_start):
            answer = cast("HttpAnswer", super().resolve(cast("Any", event), context))
            headers = answer.setdefault("headers", {})
            for name, value in SECURITY_HEADERS.items():
                headers.setdefault(name, value)
            headers["X-Request-Id"] = request_id
            status, milliseconds = answer["statusCode"], round(1000 * (time.perf_counter() - started), 1)
            line = {"method": event["requestContext"]["http"]["method"], "route": self.matched, "status": status}
            figures = {"Requests": 1, "Latency": milliseconds, **self._measured}
            if status >= 400:  # AWS charges for a metric in each hour in which it is written
                figures["ServerErrors" if status >= 500 else "ClientErrors"] = 1
            if status == HTTPStatus.INTERNAL_SERVER_ERROR:
                figures["InternalErrors"] = 1
            self._logger.info("request", extra={**line, "milliseconds": milliseconds, **emf(self.module, figures)})
            return answer

    def measure(self, name: str, figure: float) -> None:
        """Adds a metric, named in `telemetry.metrics`, to this request's log line."""
        self._measured[name] = figure

    def _problem(self, problem: Problem) -> Response[str]:
        problem.headers = {**self.context.get("rate_limit_headers", {}), **problem.headers}
        return problem.response(self.current_event.raw_event["requestContext"]["requestId"])

    def _on_problem(self, problem: Problem) -> Response[str]:
        return self._problem(problem)

    def _on_invalid_request(self, error: RequestValidationError) -> Response[str]:
        return self._problem(Problem("invalid-request", "See errors for each field.", faults_of(error)))

    def _on_bad_cursor(self, _error: BadCursor) -> Response[str]:
        place = "query" if self.current_event.http_method == "GET" else "body"
        return self._problem(
            Problem("bad-cursor", "Start the list again without a cursor.", [FieldError(f"{place}.cursor", "is not valid here")])
        )

    def _on_unavailable(self, error: StorageUnavailable) -> Response[str]:
        self._logger.error("storage unavailable", extra={"cause": str(error)})
        return self._problem(Problem("unavailable", "Try again shortly.", headers={"Retry-After": str(RETRY_SECONDS)}))

    def _on_refused(self, error: RequestRefused) -> Response[str]:
        self._logger.critical("request refused by AWS", extra={"cause": str(error)})
        return self._problem(_internal_error())

    def _on_used_key(self, _error: UsedKey) -> Response[str]:
        return self._problem(Problem("conflict", "This Idempotency-Key was used for another request. Send a new key."))

    def _on_allowance_spent(self, error: AllowanceSpent) -> Response[str]:
        detail = f"You have started as many runs as you may. Try again in {error.seconds} seconds."
        return self._problem(Problem("too-many-requests", detail, headers={"Retry-After": str(error.seconds)}))

    def _on_unusable_schema(self, error: UnusableSchema) -> Response[str]:
        self._logger.error("unusable schema", extra={"cause": str(error)})
        return self._problem(unusable(str(error)))

    def _on_no_route(self, _error: NotFoundError) -> Response[str]:
        if self.current_event.http_method == "OPTIONS" and "access-control-request-method" in self.current_event.headers:
            return Response(HTTPStatus.NO_CONTENT.value)  # a preflight; API Gateway adds its CORS headers
        path = self.current_event.path
        own = self.methods_of_fixed_paths.get(path) or {route.method for route in self._dynamic_routes if route.rule.match(path)}
        methods = own or documented_methods(path)
        if (
            not methods or self.current_event.http_method in methods or not path.isprintable()
        ):  # the path has a parameter that no value can have
            return self._problem(Problem("not-found", "See /api/docs for the existing paths."))
        return self._problem(wrong_method(methods))

    def _on_unexpected(self, error: Exception) -> Response[str]:
        self._logger.error("unexpected error", extra=error_of(error))
        return self._problem(_internal_error())


def _internal_error() -> Problem:
    return Problem("internal-error", "The request id helps us find it in the log.")
