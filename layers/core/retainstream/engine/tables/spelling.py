"""Texts that look the same, compared as the same: headers, levels, words of an outcome, ids."""

from retainstream.engine.schema.spelling import Spellings, cleaned, folded

__all__ = ["Spellings", "cleaned", "folded"]
