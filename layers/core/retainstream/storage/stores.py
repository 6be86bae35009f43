"""All of the stack's storage in one object, made once by a function's door and handed to what it calls.

A store is opened, and its module imported, when it is first used: a function pays at its start only for what it reads and writes.
A test puts another store in the place of one by assigning it.
"""

from functools import cached_property
from typing import TYPE_CHECKING

from retainstream.settings import settings

if TYPE_CHECKING:
    from retainstream.storage.arriving_customers import ArrivingCustomers
    from retainstream.storage.catalog import Catalog
    from retainstream.storage.current_runs import CurrentRuns
    from retainstream.storage.customers import Customers
    from retainstream.storage.dead_letters import DeadLetters
    from retainstream.storage.documents import Documents
    from retainstream.storage.guesses import GuessRecords
    from retainstream.storage.history import Arrivals, History
    from retainstream.storage.models import Models
    from retainstream.storage.notifications import Notifications
    from retainstream.storage.predictions import Predictions
    from retainstream.storage.rate_limits import RateLimits
    from retainstream.storage.removals import Removals
    from retainstream.storage.request_keys import RequestKeys
    from retainstream.storage.revoked_tokens import RevokedTokens
    from retainstream.storage.rollups import Rollups
    from retainstream.storage.runs import Runs
    from retainstream.storage.secret import Secret
    from retainstream.storage.signing_key import SigningKey
    from retainstream.storage.sources import KeptSources
    from retainstream.storage.uploads import Uploads
    from retainstream.storage.users import Users
    from retainstream.storage.workflows import Workflows


class Stores:
    """The tables, the bucket, the key, the secret, the topic, the queue and the state machines of one stack."""

    def reopen(self) -> None:
        """Each store is opened anew when it is next used, with the clients and settings of that moment."""
        vars(self).clear()

    @cached_property
    def arriving(self) -> "ArrivingCustomers":
        from retainstream.storage.arriving_customers import ArrivingCustomers

        return ArrivingCustomers()

    @cached_property
    def catalog(self) -> "Catalog":
        """The tables by which Athena reads the history."""
        from retainstream.storage.catalog import Catalog

        return Catalog()

    @cached_property
    def current_runs(self) -> "CurrentRuns":
        from retainstream.storage.current_runs import CurrentRuns

        return CurrentRuns()

    @cached_property
    def customers(self) -> "Customers":
        from retainstream.storage.customers import Customers

        return Customers()

    @cached_property
    def dead_letters(self) -> "DeadLetters":
        from retainstream.storage.dead_letters import DeadLetters

        return DeadLetters()

    @cached_property
    def documents(self) -> "Documents":
        from retainstream.storage.documents import Documents

        return Documents()

    @cached_property
    def guesses(self) -> "GuessRecords":
        from retainstream.storage.guesses import GuessRecords

        return GuessRecords()

    @cached_property
    def arrivals(self) -> "Arrivals":
        """The rows on their way into the history."""
        from retainstream.storage.history import Arrivals

        return Arrivals(self.documents)

    @cached_property
    def history(self) -> "History":
        from retainstream.storage.history import History

        return History(self.documents)

    @cached_property
    def models(self) -> "Models":
        from retainstream.storage.models import Models

        return Models()

    @cached_property
    def notifications(self) -> "Notifications":
        from retainstream.storage.notifications import Notifications

        return Notifications()

    @cached_property
    def predictions(self) -> "Predictions":
        from retainstream.storage.predictions import Predictions

        return Predictions()

    @cached_property
    def rate_limits(self) -> "RateLimits":
        from retainstream.storage.rate_limits import RateLimits

        return RateLimits()

    @cached_property
    def removals(self) -> "Removals":
        from retainstream.storage.removals import Removals

        return Removals(secret=self.sealing)

    @cached_property
    def request_keys(self) -> "RequestKeys":
        from retainstream.storage.request_keys import RequestKeys

        return RequestKeys()

    @cached_property
    def revoked_tokens(self) -> "RevokedTokens":
        from retainstream.storage.revoked_tokens import RevokedTokens

        return RevokedTokens()

    @cached_property
    def rollups(self) -> "Rollups":
        from retainstream.storage.rollups import Rollups

        return Rollups()

    @cached_property
    def runs(self) -> "Runs":
        from retainstream.storage.runs import Runs

        return Runs()

    @cached_property
    def sealing(self) -> "Secret":
        """The secret of cursors and of digests that stand for people."""
        from retainstream.storage.secret import Secret

        return Secret(settings().sealing_secret_arn)

    @cached_property
    def signing_key(self) -> "SigningKey":
        from retainstream.storage.signing_key import SigningKey

        return SigningKey()

    @cached_property
    def sources(self) -> "KeptSources":
        from retainstream.storage.sources import KeptSources

        return KeptSources()

    @cached_property
    def uploads(self) -> "Uploads":
        from retainstream.storage.uploads import Uploads

        return Uploads()

    @cached_property
    def users(self) -> "Users":
        from retainstream.storage.users import Users

        return Users()

    @cached_property
    def workflows(self) -> "Workflows":
        from retainstream.storage.workflows import Workflows

        return Workflows()
