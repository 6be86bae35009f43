"""The next requests after an answer, as links of the OpenAPI document."""

from typing import Any, NamedTuple


class _Link(NamedTuple):
    """From the answer `status` (None: the only successful one) of a function's operation to another operation, with parameters or a body
    taken from the answer."""

    source: str
    status: int | None
    target: str
    parameters: dict[str, str] = {}  # noqa: RUF012
    body: dict[str, Any] = {}  # noqa: RUF012


def _data(pointer: str) -> str:
    return f"$response.body#/data/{pointer}"


_CUSTOMER = ("get_customer", "put_customer", "delete_customer", "post_outcome")
_LINKS = (
    _Link("login", 200, "me"),
    _Link("login", 200, "logout"),
    _Link("register", 201, "me"),
    _Link("add_user", 201, "change_user", body={"email": _data("email"), "status": "disabled"}),
    _Link("add_user", 201, "list_users"),
    _Link("change_user", 200, "change_user", body={"email": _data("email"), "role": "analyst"}),
    *(_Link("list_customers", 200, target, {"customer_id": _data("0/customer_id")}) for target in _CUSTOMER),
    *(_Link("put_customer", 200, target, {"customer_id": _data("customer_id")}) for target in _CUSTOMER),
    *(_Link("get_high_risk", 200, target, {"customer_id": _data("0/customer_id")}) for target in ("get_customer", "post_outcome")),
    _Link("post_outcome", 200, "get_customer", {"customer_id": _data("customer_id")}),
    _Link("delete_customer", None, "get_customer", {"customer_id": "$request.path.customer_id"}),
    _Link("get_segment", 200, "get_customer", {"customer_id": _data("customers/0/customer_id")}),
    _Link("results", 200, "get_customer", {"customer_id": _data("0/customer_id")}),
    _Link("get_high_risk", 200, "ask_what_if", body={"customer_id": _data("0/customer_id"), "changes": {"payment_failures": 0}}),
    _Link("put_customer", 200, "generate_predictions", body={"customer_ids": [_data("customer_id")]}),
    *(
        _Link(name, 200, name, {"cursor": "$response.body#/page/next"})
        for name in ("list_customers", "list_deliveries", "list_imports", "list_users", "versions")
    ),
    _Link("post_import", 202, "get_import", {"import_id": _data("import_id")}),
    _Link("post_import", 202, "complete_import", {"import_id": _data("import_id")}),
    _Link("list_imports", 200, "get_import", {"import_id": _data("0/import_id")}),
    _Link("post_delivery", 202, "get_delivery", {"delivery_id": _data("delivery_id")}),
    _Link("post_delivery", 202, "complete_delivery", {"delivery_id": _data("delivery_id")}),
    _Link("list_deliveries", 200, "get_delivery", {"delivery_id": _data("0/delivery_id")}),
    _Link("post_preparation", 202, "get_preparation", {"run_id": _data("run_id")}),
    _Link("generate_predictions", 202, "get_run", {"run_id": _data("run_id")}),
    _Link("results", 202, "get_export", {"run_id": _data("run_id")}),
    _Link("recount", 202, "get_recount", {"run_id": _data("run_id")}),
    _Link("train", 202, "training", {"run_id": _data("run_id")}),
    *(_Link("versions", 200, target, {"version": _data("0/version")}) for target in ("card", "promote_version")),
    *(_Link("status", 200, target, {"version": _data("model/version")}) for target in ("card", "promote_version")),
    _Link("promote_version", 200, "roll_back"),
)


def with_links(document: dict[str, Any]) -> dict[str, Any]:
    """The document, its links added in place.

    Raises:
        KeyError: a link names a function without an operation, or a status that the operation does not answer.
    """
    operations = {
        operation["operationId"].partition("_api_")[0]: operation for path in document["paths"].values() for operation in path.values()
    }
    for link in _LINKS:
        stated: dict[str, Any] = {"operationId": operations[link.target]["operationId"], "description": operations[link.target]["summary"]}
        if link.parameters:
            stated["parameters"] = link.parameters
        if link.body:
            stated["requestBody"] = link.body
        answers = operations[link.source]["responses"]
        status = str(link.status) if link.status else min(answers)
        answers[status].setdefault("links", {})[link.target] = stated
    return document
