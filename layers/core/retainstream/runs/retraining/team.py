"""The capacity of the team that calls customers, and the threshold in service: what a candidate's threshold follows besides the rows."""

from retainstream.dashboard.figures import CustomerFigures
from retainstream.engine.learning.threshold import Champion, Team
from retainstream.engine.model.levels import bounds_of
from retainstream.registry.champion import record_in_service
from retainstream.settings import settings
from retainstream.storage.stores import Stores


def team_of(stores: Stores) -> Team:
    """The capacity of `CallCapacity` among the customers who are here, and the champion's threshold where it has a rule."""
    figures = CustomerFigures(stores.rollups.counters("customers").counters)
    record = record_in_service(stores.models)
    rule = record.get("threshold_rule") if record else None
    champion = Champion(bounds_of(record).high, rule) if record and rule else None
    return Team(settings().call_capacity, figures.stayed + figures.unknown, champion)
