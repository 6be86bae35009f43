"""RetainStream: who is about to leave, why, what it is worth and what to do about it."""

__version__ = "0.1.0"
