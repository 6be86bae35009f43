"""The routes of the drafts module: a first feature schema for a file. It is apart from the model module because it needs numpy."""

from aws_lambda_powertools.utilities.typing import LambdaContext

from retainstream.drafts.draft import DraftOfSchema, DraftRequest, draft_of
from retainstream.drafts.sent_file import LARGEST_BODY
from retainstream.engine.schema import FieldError
from retainstream.engine.tables import UnreadableTable
from retainstream.http import Api, Data, Problem, requires
from retainstream.http.events import HttpAnswer, HttpEvent
from retainstream.roles import Role

app = Api("drafts")
TAGS = ["drafts"]

app.explain(
    UnreadableTable,
    lambda error: Problem(
        "invalid-request", "The file cannot be read.", [FieldError("body.content", text) for text in error.first_problems]
    ),
)


@app.post("/api/drafts", summary="Draft a feature schema from a file", tags=TAGS, **requires(Role.ADMIN, largest_body=LARGEST_BODY))
def post_draft(body: DraftRequest) -> Data[DraftOfSchema]:
    """A first schema for a file with a row for each customer, with a warning for every trap in it; without `label`, the file's columns and
    those that may hold the outcome. Nothing is stored: to activate the schema, PUT its `document` to /api/model/schema."""
    return Data(data=draft_of(body))


def handler(event: HttpEvent, context: LambdaContext) -> HttpAnswer:
    return app.resolve(event, context)
