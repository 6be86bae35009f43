"""Errors of model versions and of the pointer to the one in service."""


class UnknownVersion(LookupError):
    """No model version has that name."""


class NotPromotable(ValueError):
    """The version may not go into service. The message gives the reason."""


class NoModel(LookupError):
    """No model is in service."""


class CorruptModel(ValueError):
    """The stored model or pointer differs from what was registered, or cannot be read. The message is a sentence for people."""


ADVICE = "An administrator can roll back, promote another version or train a new one. An operator can restore the file."
"""The ways to replace a model in service that cannot be used."""
