"""`retainstream customers show`, `customers remove` and `at-risk`: who is about to leave, and why; and who is to be forgotten."""

from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

import typer

from cli.account import AsJson, Url
from cli.output import confirm, print_json, print_line, print_table, say
from cli.session import signed_in

if TYPE_CHECKING:
    from cli.client import Client

_AT_ONCE = 100
_REASONS = 2

commands = typer.Typer(help="Single customers.", no_args_is_help=True)

Group = Annotated[str | None, typer.Option("--group", "-g", metavar="VALUE", help="Only those of a value of the schema's group column.")]
MinProbability = Annotated[float | None, typer.Option("--min-probability", min=0, max=1, help="Only those at least so likely to leave.")]


class Order(StrEnum):
    PROBABILITY = "probability"
    VALUE = "value"


@commands.command("show")
def show(
    customer_id: Annotated[str, typer.Argument(metavar="ID", help="The customer's id.")], url: Url = None, as_json: AsJson = False
) -> None:
    """Show what is known of a customer: features, how likely to leave, why, what to do, and how that was before."""
    with signed_in(url) as client:
        customer = client.get(f"/api/customers/{quote(customer_id, safe='')}").data
        schema = {} if as_json else client.get("/api/model/schema").data
    if as_json:
        print_json(customer)
        return
    left = {True: "has left", False: "has stayed", None: ""}[customer["churned"]]
    on = f" ({customer['outcome_at']})" if customer["outcome_at"] else ""
    print_line(f"{customer['customer_id']}: {customer['group']}" + (f", {left}{on}" if left else ""))
    if customer["prediction"] is None:
        say("never scored; score everybody: retainstream score --watch")
    else:
        _tell_prediction(customer["prediction"], (schema["money"] or {}).get("currency", ""))
    if customer["features_changed"]:
        say("note: the features have changed since that prediction")
    words = {column["name"]: (column["label"], column.get("unit") or "") for column in schema["columns"]}
    rows = ([*words.get(name, (name, ""))[:1], value, words.get(name, ("", ""))[1]] for name, value in customer["features"].items())
    print_table(("feature", "value", "unit"), rows, numbers=("value",))


@commands.command("remove")
def remove(
    customer_id: Annotated[str, typer.Argument(metavar="ID", help="The customer's id.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Remove a customer for good: from every table and file at once, and from what is kept for a while when that ends."""
    with signed_in(url) as client:
        confirm(f"Remove {customer_id} for good, and with it every file of predictions there is?", yes=yes)
        removal = client.delete(f"/api/customers/{quote(customer_id, safe='')}").data
    if as_json:
        print_json(removal)
        return
    there_was = [name for name in ("customer", "prediction") if removal["removed"][name]]
    print_line(
        f"removed: {', '.join(there_was) or 'nothing, there was no such customer'}; files of predictions: {removal['removed']['exports']}"
    )
    print_table(
        ("kept for a while", "days at most"), ([one["what"], one["within_days"]] for one in removal["expiring"]), numbers=("days at most",)
    )


def at_risk(
    group: Group = None,
    min_probability: MinProbability = None,
    sort: Annotated[Order, typer.Option("--sort", help="Highest first by this.")] = Order.PROBABILITY,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=10_000, help="At most so many.")] = 20,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Show who is about to leave, with the strongest reasons and what to do. All of them, as a file: retainstream export."""
    filters = {"plan": group, "min_probability": min_probability, "sort": sort.value, "limit": min(limit, _AT_ONCE)}
    with signed_in(url) as client:
        found = client.all_of("/api/customers/high-risk", {name: value for name, value in filters.items() if value is not None}, most=limit)
        currency = "" if as_json else _currency(client)
    if as_json:
        print_json(found.data)
        return
    value = f"value ({currency})" if currency else "value"
    numbers = ("probability", value)

    def row(customer: Mapping[str, Any]) -> list[object]:
        why = "; ".join(reason["text"] for reason in customer["reasons"][:_REASONS])
        action = customer["action"]["title"] if customer["action"] else None
        return [
            customer["customer_id"],
            customer["group"],
            f"{customer['probability']:.1%}",
            customer["level"],
            f"{customer['value_at_risk']:,.2f}",
            why,
            action,
        ]

    print_table(("customer", "group", "probability", "level", value, "why", "what to do"), map(row, found.data), numbers=numbers)
    total = found.page["total"]
    if total is not None and total > len(found.data):
        say(f"{len(found.data):,} of {total:,}; more with --limit, all as a file with: retainstream export")
    elif found.page["next"]:
        say("There are more: --limit shows them, and retainstream export writes them to a file")


def _currency(client: "Client") -> str:
    money = client.get("/api/model/schema").data["money"]
    return str(money["currency"]) if money else ""


def _tell_prediction(prediction: Mapping[str, Any], currency: str) -> None:
    change = prediction.get("change")
    moved = f", {change * 100:+.1f} points since the last time" if change else ""
    print_line(f"{prediction['probability']:.1%} likely to leave ({prediction['level']}){moved}")
    for reason in prediction["reasons"]:
        print_line(f"  {reason['text']}")
    print_line(f"value at risk: {prediction['value_at_risk']:,.2f} {currency}".rstrip())
    action = prediction["action"]
    if action:
        print_line(f"what to do: {action['title']} (costs {action['cost']:,.2f}, worth {action['expected_value']:,.2f} on average)")
    print_line(f"scored at {prediction['scored_at']} by {prediction['model_version']}")
    for earlier in prediction["history"]:
        print_line(f"  before: {earlier['probability']:.1%} at {earlier['scored_at']}")
