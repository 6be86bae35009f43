"""What can be wrong with a model version or the pointer to it."""


class UnknownVersion(LookupError):
    """There is no model version of that name."""


class NotPromotable(ValueError):
    """The version exists but may not go into service; the message says why."""


class NoModel(LookupError):
    """No model is in service."""


class CorruptModel(ValueError):
    """A stored model's bytes are not the ones that were registered, or nothing that can be used; the message says which, in a sentence."""


ADVICE = "An administrator can roll back, promote another version or train a new one; an operator can put the file back."
"""What to do about a model in service that cannot be used."""
