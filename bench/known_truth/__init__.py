"""Figures of the product beside the truth, on made data whose truth is known, by the rule of today and by the earlier one.

A part is a module of this package with `rows(repetitions)`; its figures stand in `<part>.json` and in the table of docs/model.md.
"""
