"""`retainstream at-risk`, `customers show` and `customers remove`."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from cli.account import AsJson, Url
from cli.answers import Customer, CustomerAtRisk, Life, Prediction, Removal, Schema
from cli.output import confirm, money, print_json, print_line, print_table, say
from cli.session import signed_in

if TYPE_CHECKING:
    from cli.client import Client

_PAGE_SIZE = 100
_REASONS = 2

commands = typer.Typer(help="Single customers.", no_args_is_help=True)

CustomerId = Annotated[str, typer.Argument(metavar="ID", help="The customer's id.")]
Group = Annotated[
    str | None, typer.Option("--group", "-g", metavar="VALUE", help="Only customers with this value in the schema's group column.")
]
MinProbability = Annotated[
    float | None, typer.Option("--min-probability", min=0, max=1, help="Only customers with at least this churn probability.")
]


class Order(StrEnum):
    PROBABILITY = "probability"
    VALUE = "value"


@commands.command("show")
def show(customer_id: CustomerId, url: Url = None, as_json: AsJson = False) -> None:
    """Show a customer: features, churn probability, reasons, recommended action and history."""
    with signed_in(url) as client:
        customer: Customer = client.get(f"/api/customers/{_address_of(customer_id)}").data
        if as_json:
            print_json(customer)
            return
        schema: Schema = client.get("/api/model/schema").data
    outcome = {True: ", has left", False: ", has stayed", None: ""}[customer["churned"]]
    on = f" ({customer['outcome_at']})" if outcome and customer["outcome_at"] else ""
    print_line(f"{customer['customer_id']}: {customer['group']}{outcome}{on}")
    for life in customer["earlier_lives"]:
        print_line(f"earlier customer: {_days_of(life)}")
    print_line(f"customer: {_days_of(customer['life'])}")
    if customer["prediction"] is None:
        say("Not scored yet. To score all customers: retainstream score --watch")
    else:
        _print_prediction(customer["prediction"], _currency_of(schema))
    if customer["features_changed"]:
        say("note: the features have changed since that prediction")
    columns = {column["name"]: column for column in schema["columns"]}
    rows = []
    features = customer["features"]
    for name in (*(name for name in columns if name in features), *sorted(features.keys() - columns.keys())):
        column, value = columns.get(name), features[name]
        rows.append([column["label"] if column else name, value, (column.get("unit") or "") if column else ""])
    print_table(("feature", "value", "unit"), rows, numbers=("value",))


@commands.command("remove")
def remove(
    customer_id: CustomerId,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")] = False,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Remove a customer for good: from all tables and files now, and from remaining copies when they expire."""
    with signed_in(url) as client:
        confirm(f"Remove {customer_id} for good, and all files of predictions?", yes=yes)
        removal: Removal = client.delete(f"/api/customers/{_address_of(customer_id)}").data
    if as_json:
        print_json(removal)
        return
    removed = removal["removed"]
    rows = [name for name, was_there in (("customer", removed["customer"]), ("prediction", removed["prediction"])) if was_there]
    print_line(f"removed: {', '.join(rows) or 'nothing, there is no such customer'}; files of predictions: {removed['exports']}")
    expiring = ([copy["what"], copy["within_days"]] for copy in removal["expiring"])
    print_table(("kept until it expires", "days at most"), expiring, numbers=("days at most",))


def at_risk(
    group: Group = None,
    min_probability: MinProbability = None,
    sort: Annotated[Order, typer.Option("--sort", help="The column to sort by, highest first.")] = Order.PROBABILITY,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=10_000, help="The number of customers at most.")] = 20,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Show the call list: customers at risk, with the strongest reasons and the recommended action. As a file: retainstream export."""
    filters = {"plan": group, "min_probability": min_probability, "sort": sort.value, "limit": min(limit, _PAGE_SIZE)}
    query = {name: value for name, value in filters.items() if value is not None}
    with signed_in(url) as client:
        answer = client.all_of("/api/customers/high-risk", query, most=limit)
        currency = "" if as_json else _currency(client)
    customers: list[CustomerAtRisk] = answer.data
    if as_json:
        print_json(customers)
        return

    def row(customer: CustomerAtRisk) -> list[object]:
        return [
            customer["customer_id"],
            customer["group"],
            f"{customer['probability']:.1%}",
            customer["level"],
            *([money(customer["value_at_risk"], currency)] if currency else []),
            "; ".join(reason["text"] for reason in customer["reasons"][:_REASONS]),
            customer["action"]["title"] if customer["action"] else None,
        ]

    worth = ("value at risk",) if currency else ()
    headers = ("customer", "group", "probability", "level", *worth, "reasons", "action")
    print_table(headers, map(row, customers), numbers=("probability", *worth))
    total = answer.page["total"]
    if total is not None and total > len(customers):
        say(f"{len(customers):,} of {total:,} customers. For more: --limit. For all, as a file: retainstream export")
    elif answer.page["next"]:
        say("There are more customers. For more: --limit. For all, as a file: retainstream export")


def _days_of(life: Life) -> str:
    """A life in words: since when, and until when it is known."""
    parts = []
    if life["began_on"]:
        parts.append(f"since {life['began_on']}")
    elif life["first_seen_on"]:
        parts.append(f"first seen on {life['first_seen_on']}")
    if life["left_on"] is None:
        parts += [f"last seen on {life['observed_until']}"] if life["observed_until"] else []
    elif life["left_on_exact"]:
        parts.append(f"left on {life['left_on']}")
    else:
        parts.append(f"left after {life['left_after']}, by {life['left_on']}" if life["left_after"] else f"left by {life['left_on']}")
    return ", ".join(parts) or "no day known"


def _currency(client: "Client") -> str:
    schema: Schema = client.get("/api/model/schema").data
    return _currency_of(schema)


def _currency_of(schema: Schema) -> str:
    return schema["money"]["currency"] if schema["money"] else ""


def _print_prediction(prediction: Prediction, currency: str) -> None:
    change = prediction.get("change")
    points = f", {change * 100:+.1f} points since the prediction before" if change else ""
    print_line(f"churn probability: {prediction['probability']:.1%} ({prediction['level']}){points}")
    for reason in prediction["reasons"]:
        print_line(f"  {reason['text']}")
    if currency:
        print_line(f"value at risk: {money(prediction['value_at_risk'], currency)}")
    if action := prediction["action"]:
        worth = (
            f" (costs {money(action['cost'], currency)}, expected value {money(action['expected_value'], currency)})" if currency else ""
        )
        print_line(f"recommended action: {action['title']}{worth}")
    print_line(f"scored at {prediction['scored_at']} by {prediction['model_version']}")
    for earlier in prediction["history"]:
        print_line(f"  before: {earlier['probability']:.1%} at {earlier['scored_at']}")


def _address_of(customer_id: str) -> str:
    from retainstream.engine.schema.customer_id import address_of

    return address_of(customer_id)
