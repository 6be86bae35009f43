"""`retainstream schema put`, `history` and `show`: the active feature schema of a deployment, and those before it.

With --stack the commands use AWS credentials, otherwise the session of an administrator. Both ways lead to the same logic.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Protocol, cast
from urllib.parse import quote

import typer

from cli.account import AsJson, Url
from cli.answers import EarlierSchema, LearnedLevels, Schema, SchemaChange
from cli.aws_options import STACK_HELP, Profile, Region
from cli.output import confirm, print_json, print_line, print_table, say, say_warning
from cli.service_errors import NEEDS_A_LOOK, ServiceError
from cli.session import signed_in

if TYPE_CHECKING:
    from cli.client import Client
    from retainstream.engine.schema import FeatureSchema
    from retainstream.storage.customers import Customers
    from retainstream.storage.documents import Documents
    from retainstream.storage.models import Models

Stack = Annotated[
    str | None, typer.Option("--stack", metavar="NAME", help=f"{STACK_HELP} Uses your AWS credentials in place of your session.")
]


class Deployment(Protocol):
    """The schemas of a deployment."""

    def check(self, schema: "FeatureSchema") -> SchemaChange: ...
    def put(self, schema: "FeatureSchema", *, replaces: str, accept_refused: bool) -> SchemaChange: ...
    def learn(self, column: str, levels: list[str]) -> LearnedLevels: ...
    def earlier(self) -> list[EarlierSchema]: ...
    def show(self, schema_id: str | None) -> Schema: ...


def put(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The schema, YAML or JSON.")],
    stack: Stack = None,
    check: Annotated[bool, typer.Option("--check", help="Only compare. Ends with 3 when customers do not fit.")] = False,
    accept_refused: Annotated[
        bool, typer.Option("--accept-refused", help="Activate it although customers do not fit, without a question.")
    ] = False,
    url: Url = None,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """Compare a feature schema with the active one and with the customers, and activate it. Needs the role admin, or --stack.

    The schema before is kept: see `retainstream schema history`. When customers do not fit, the command asks first; without a terminal it
    needs --accept-refused. The active schema itself changes nothing.
    """
    from retainstream.engine.schema.documents import read_schema

    schema = read_schema(file)
    with deployment_of(stack, url, region, profile) as deployment:
        change = deployment.check(schema)
        if not as_json:
            _print_comparison(change)
        refused = change["customers"]["refused"]
        if not change["same"] and not check:
            if refused and not accept_refused:
                _ask(change)
            change = deployment.put(schema, replaces=change["replaces"], accept_refused=bool(refused))
    if as_json:
        print_json(change)
    elif change["same"]:
        say(f"{change['title']} is the active schema already. Nothing was changed.")
    elif change["active"]:
        _print_next(change)
    if check and refused:
        raise typer.Exit(NEEDS_A_LOOK)


def history(stack: Stack = None, url: Url = None, region: Region = None, profile: Profile = None, as_json: AsJson = False) -> None:
    """List the feature schemas that were active before, the last one first. Needs the role admin, or --stack."""
    with deployment_of(stack, url, region, profile) as deployment:
        listed = deployment.earlier()
    if as_json:
        print_json(listed)
        return
    print_table(
        ("id", "name", "active since"), ([kept["id"], kept["name"], kept["active_since"] or "the first deployment"] for kept in listed)
    )
    if listed:
        say("To go back to one: retainstream schema show ID --json > earlier.json, then retainstream schema put earlier.json")


def show(
    schema_id: Annotated[str | None, typer.Argument(metavar="ID", help="An id from: retainstream schema history")] = None,
    stack: Stack = None,
    url: Url = None,
    region: Region = None,
    profile: Profile = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the schema as JSON, which `schema put` reads.")] = False,
) -> None:
    """Show the active feature schema, or an earlier one."""
    with deployment_of(stack, url, region, profile) as deployment:
        schema = deployment.show(schema_id)
    if as_json:
        print_json(schema)
        return
    print_line(f"{schema['title']} ({schema['name']})")
    rows = ([column["name"], column["label"], column["kind"], "yes" if column["feature"] else "no"] for column in schema["columns"])
    print_table(("column", "label", "kind", "in the model"), rows)


def _ask(change: SchemaChange) -> None:
    customers = change["customers"]
    question = f"{customers['refused']:,} of {customers['checked']:,} checked customers do not fit. Activate the schema nevertheless?"
    if not sys.stdin.isatty():
        raise ServiceError(question.partition(". ")[0], "Nothing was changed. To activate the schema nevertheless: --accept-refused")
    confirm(question, yes=False)


def _print_comparison(change: SchemaChange) -> None:
    if change["changes"]:
        print_table(
            ("column", "", "difference"), ([part["column"] or part["label"], part["kind"], part["text"]] for part in change["changes"])
        )
    customers = change["customers"]
    if not change["same"]:
        checked, sample = f"{customers['checked']:,}", "" if customers["complete"] else " (a sample, there are more)"
        if not customers["checked"]:
            say("There are no customers to check.")
        elif not customers["refused"]:
            say(f"{checked} customers checked{sample}: all fit the new schema.")
        else:
            say_warning(f"{customers['refused']:,} of {checked} checked customers{sample} do not fit the new schema:")
    for misfit in customers["misfits"]:
        say_warning(misfit["text"])
    if change["model"] and not change["same"]:
        say(change["model"]["text"])


def _print_next(change: SchemaChange) -> None:
    say(f"{change['title']} is the active schema. The schema before is kept as {change['kept']}.")
    for number, step in enumerate(change["next_steps"], 1):
        say(f"{number}. {step}")


@contextmanager
def deployment_of(stack: str | None, url: str | None, region: str | None, profile: str | None) -> Iterator[Deployment]:
    if stack is None:
        if region or profile:
            raise typer.BadParameter("--region and --profile go with --stack", param_hint="--stack")
        with signed_in(url) as client:
            yield _Signed(client)
        return
    if url is not None:
        raise typer.BadParameter("give --stack or --url, not both", param_hint="--stack")
    from cli.aws import aws_errors, outputs, session
    from retainstream.storage.customers import Customers
    from retainstream.storage.documents import Documents
    from retainstream.storage.models import Models
    from retainstream.storage.table import Table

    account = session(region, profile)
    names = outputs(account, stack)
    if missing := {"BucketName", "CustomersTableName", "ModelsTableName"} - names.keys():
        raise ServiceError(f"The stack {stack} has no output {min(missing)}", "Check that it is a RetainStream deployment.")
    with aws_errors():
        tables = account.client("dynamodb")
        yield _Stack(
            Documents(names["BucketName"], account.client("s3")),
            Customers(Table(names["CustomersTableName"], ("customer_id",), tables)),
            Models(Table(names["ModelsTableName"], ("pk", "sk"), tables)),
        )


class _Signed:
    """A deployment by its API."""

    def __init__(self, client: "Client") -> None:
        self._client = client

    def check(self, schema: "FeatureSchema") -> SchemaChange:
        answer: SchemaChange = self._client.post("/api/model/schema/check", {"document": _document(schema)}, repeatable=True).data
        return answer

    def put(self, schema: "FeatureSchema", *, replaces: str, accept_refused: bool) -> SchemaChange:
        body = {"document": _document(schema), "replaces": replaces, "accept_refused": accept_refused}
        answer: SchemaChange = self._client.put("/api/model/schema", body).data
        return answer

    def learn(self, column: str, levels: list[str]) -> LearnedLevels:
        body = {"column": column, "levels": levels}
        answer: LearnedLevels = self._client.post("/api/model/schema/levels", body, repeatable=True).data
        return answer

    def earlier(self) -> list[EarlierSchema]:
        answer: list[EarlierSchema] = self._client.get("/api/model/schema/earlier").data
        return answer

    def show(self, schema_id: str | None) -> Schema:
        path = f"/api/model/schema/earlier/{quote(schema_id, safe='')}" if schema_id else "/api/model/schema"
        answer: Schema = self._client.get(path).data
        return answer


class _Stack:
    """A deployment by its bucket and tables."""

    def __init__(self, documents: "Documents", customers: "Customers", models: "Models") -> None:
        self._documents, self._customers, self._models = documents, customers, models

    def check(self, schema: "FeatureSchema") -> SchemaChange:
        from retainstream.registry.schema_change import compare_schema

        change = compare_schema(self._documents, self._customers, self._models, schema)
        return cast("SchemaChange", change.model_dump(mode="json"))

    def put(self, schema: "FeatureSchema", *, replaces: str, accept_refused: bool) -> SchemaChange:
        from retainstream.registry.schema_change import CustomersRefused, SchemaChangedMeanwhile, put_schema

        parties = self._documents, self._customers, self._models
        try:
            change = put_schema(*parties, schema, replaces=replaces, accept_refused=accept_refused)
        except SchemaChangedMeanwhile as error:
            raise ServiceError("Another feature schema became active meanwhile", "Start the command again.") from error
        except CustomersRefused as error:
            raise ServiceError("Customers changed meanwhile, and do not fit the schema", "Start the command again.") from error
        return cast("SchemaChange", change.model_dump(mode="json"))

    def learn(self, column: str, levels: list[str]) -> LearnedLevels:
        from retainstream.registry.level_learning import NewLevels, UnlearnableLevels, learn_levels
        from retainstream.registry.schema_change import SchemaChangedMeanwhile

        try:
            learned = learn_levels(self._documents, self._models, NewLevels(column=column, levels=levels))
        except UnlearnableLevels as error:
            raise ServiceError(f"{column} cannot learn the levels", str(error)) from error
        except SchemaChangedMeanwhile as error:
            raise ServiceError("Another feature schema became active meanwhile", "Start the command again.") from error
        return cast("LearnedLevels", learned.model_dump(mode="json"))

    def earlier(self) -> list[EarlierSchema]:
        from retainstream.registry.active_schema import earlier_schemas

        return [cast("EarlierSchema", kept.model_dump(mode="json")) for kept in earlier_schemas(self._documents)]

    def show(self, schema_id: str | None) -> Schema:
        from retainstream.engine.schema.validation import UnusableSchema
        from retainstream.registry.active_schema import UnknownSchema, earlier_schema, stored_schema

        try:
            schema = earlier_schema(self._documents, schema_id) if schema_id else stored_schema(self._documents)
        except UnknownSchema as error:
            raise ServiceError("No earlier feature schema has this id", "To list them: retainstream schema history") from error
        except UnusableSchema as error:
            raise ServiceError(str(error)) from error
        return cast("Schema", schema.model_dump(mode="json"))


def _document(schema: "FeatureSchema") -> str:
    return schema.model_dump_json(exclude_defaults=True)
