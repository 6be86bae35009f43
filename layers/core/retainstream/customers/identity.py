"""A customer's id in the path of a URL."""

from typing import Annotated
from urllib.parse import unquote

from pydantic import BeforeValidator

from retainstream.engine.schema.customer_id import CustomerId

CustomerIdInPath = Annotated[CustomerId, BeforeValidator(lambda text: unquote(text) if isinstance(text, str) else text)]
