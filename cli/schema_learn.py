"""`retainstream schema learn`: new levels of a category, named or as an import reports them."""

from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote

import typer

from cli.account import AsJson, Url
from cli.answers import LearnedLevels
from cli.aws_options import Profile, Region
from cli.output import print_json, say
from cli.schema_change import Stack, deployment_of
from cli.session import signed_in

if TYPE_CHECKING:
    from cli.answers import ImportView

NEW = "is new"
"""The reason of a cell with a level that the schema does not have."""


def learn(
    levels: Annotated[
        list[str] | None, typer.Argument(metavar="COLUMN=LEVEL…", help="New values of a category, as in 'plan=Gold Plus'.")
    ] = None,
    run: Annotated[str | None, typer.Option("--import", metavar="RUN", help="All values that this import reports as new.")] = None,
    stack: Stack = None,
    url: Url = None,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """Add levels to categories of the active schema. Needs the role admin, or --stack.

    The schema before is kept, no customer has to be checked, and the model in service goes on scoring. Known levels change nothing.
    """
    if bool(levels) == bool(run):
        raise typer.BadParameter("name levels as COLUMN=LEVEL, or an import with --import RUN", param_hint="COLUMN=LEVEL")
    if run and stack:
        raise typer.BadParameter("reads the import through the API; use --url in place of --stack", param_hint="--import")
    named = _reported(run, url) if run else _named(levels or [])
    if not named:
        say("The import reports no value that is new.")
        return
    with deployment_of(stack, url, region, profile) as deployment:
        learned = [deployment.learn(column, values) for column, values in named.items()]
    if as_json:
        print_json(learned)
        return
    for column in learned:
        _print(column)
    for step in dict.fromkeys(step for column in learned for step in column["next_steps"]):
        say(step)


def _named(levels: list[str]) -> dict[str, list[str]]:
    named: dict[str, list[str]] = {}
    for text in levels:
        column, equals, level = text.partition("=")
        if not column or not equals or not level:
            raise typer.BadParameter(f"{text} is not COLUMN=LEVEL", param_hint="COLUMN=LEVEL")
        named.setdefault(column, []).append(level)
    return named


def _reported(run: str, url: str | None) -> dict[str, list[str]]:
    with signed_in(url) as client:
        view: ImportView = client.get(f"/api/customers/imports/{quote(run, safe='')}").data
    named: dict[str, list[str]] = {}
    for cell in view.get("unread", ()):
        if cell["reason"] == NEW:
            named.setdefault(cell["column"], []).append(cell["value"])
    return named


def _print(column: LearnedLevels) -> None:
    if column["added"]:
        say(f"{column['label']} has new levels: {', '.join(column['added'])}. The schema before is kept as {column['kept']}.")
    if column["known"]:
        say(f"{column['label']} has these levels already: {', '.join(column['known'])}.")
