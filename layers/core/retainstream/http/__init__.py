"""The edge: the work before and after every route."""

from retainstream.http.api import Api
from retainstream.http.envelope import Data, Listing, PageInfo
from retainstream.http.problems import Problem
from retainstream.http.routes import Caller, IdempotencyKey, public, requires

__all__ = ["Api", "Caller", "Data", "IdempotencyKey", "Listing", "PageInfo", "Problem", "public", "requires"]
