"""The inputs of a model: the schema's features, and numbers that are derived from one or two of them."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self, TypedDict

import numpy as np
import xgboost
from numpy.typing import NDArray

from retainstream.engine.model.encoding import Rows, feature_names
from retainstream.engine.schema import Column, FeatureSchema

type Floats = NDArray[np.float64]

_ATTRIBUTE = "encodings"
"""The booster's attribute with the encodings, so that the file of a model is all that its scores need."""


_TOGETHER = " & "
"""Between the two names in the name of a pair. No name of a schema has a space."""


def features_named(name: str) -> list[str]:
    """The names of the features that an explained column speaks of: its own, or the two of a pair."""
    return name.split(_TOGETHER)


def by_feature(contributions: Mapping[str, float]) -> dict[str, float]:
    """Contributions by the names of explained columns as those of the features (`Inputs.by_feature`)."""
    divided: dict[str, float] = {}
    for name, contribution in contributions.items():
        features = features_named(name)
        for feature in features:
            divided[feature] = divided.get(feature, 0.0) + contribution / len(features)
    return divided


_FEW_ROWS = 8
"""Up to this many rows a look-up of each is faster than one of all together."""


class UnreadableEncodings(ValueError):
    """The encodings stored with a booster cannot be read, or are of columns that the schema does not have."""


class EncodingDocument(TypedDict):
    """An `Encoding` as JSON: columns by name; in `cells`, null is a missing value."""

    columns: list[str]
    cells: list[list[float | None]]
    scores: list[float]
    prior: float


@dataclass(frozen=True, eq=False)
class Encoding:
    """A number for each combination of the values of one or two features: the log-odds of churn in the cell, shrunk to those of all rows.

    places: of the features among the schema's features. cells: float32 (cells, places), each combination that occurred at training, NaN
    where a value is missing. scores: float32 (cells,), in log-odds. prior: the number of a combination that did not occur.
    """

    places: tuple[int, ...]
    cells: NDArray[np.float32]
    scores: NDArray[np.float32]
    prior: float

    def of(self, rows: Rows) -> NDArray[np.float32]:
        """The number of each row (n,), from rows (n, features)."""
        if len(rows) <= _FEW_ROWS:
            asked = map(_without_nan, rows[:, list(self.places)].tolist())
            return np.array([self._by_cell.get(cell, self.prior) for cell in asked], dtype=np.float32)
        keys, known = self._keys(rows[:, list(self.places)])
        known_keys, scores = self._sorted
        at = np.minimum(known_keys.searchsorted(keys), len(known_keys) - 1)
        return np.where(known & (known_keys[at] == keys), scores[at], np.float32(self.prior))

    @cached_property
    def _by_cell(self) -> dict[tuple[float | None, ...], float]:
        """The number of each cell, for a few rows at a time."""
        return dict(zip(map(_without_nan, self.cells.tolist()), self.scores.tolist(), strict=True))

    @cached_property
    def _values(self) -> list[NDArray[np.float32]]:
        """The distinct values of each place, rising, NaN last."""
        return [np.unique(values) for values in self.cells.T]

    @cached_property
    def _sorted(self) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """The keys of the cells, rising, and their scores."""
        keys, _ = self._keys(self.cells)
        order = keys.argsort()
        return keys[order], self.scores[order]

    def _keys(self, cells: NDArray[np.float32]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """A number for each combination of values (n, places), and whether each of the values occurred at training."""
        keys, known = np.zeros(len(cells), dtype=np.int64), np.ones(len(cells), dtype=bool)
        for values, column in zip(self._values, cells.T, strict=True):
            at = np.minimum(values.searchsorted(column), len(values) - 1)
            known &= (values[at] == column) | (np.isnan(values[at]) & np.isnan(column))
            keys = keys * len(values) + at
        return keys, known

    def document(self, schema: FeatureSchema) -> EncodingDocument:
        return {
            "columns": [schema.features[place].name for place in self.places],
            "cells": [list(_without_nan(cell)) for cell in self.cells.tolist()],
            "scores": self.scores.tolist(),
            "prior": self.prior,
        }

    @classmethod
    def from_document(cls, document: EncodingDocument, schema: FeatureSchema) -> Self:
        """The encoding of a document.

        Raises:
            ValueError, KeyError, TypeError: the document is not one of an encoding of the schema's features.
        """
        names = feature_names(schema.features)
        places = tuple(names.index(name) for name in document["columns"])
        cells, scores = np.array(document["cells"], dtype=np.float32), np.array(document["scores"], dtype=np.float32)
        if len(places) not in (1, 2) or not len(scores) or cells.shape != (len(scores), len(places)) or not np.isfinite(scores).all():
            raise ValueError("not the cells of an encoding")
        return cls(places, cells, scores, float(document["prior"]))


def _without_nan(cell: Sequence[float]) -> tuple[float | None, ...]:
    return tuple(None if math.isnan(value) else value for value in cell)


@dataclass(frozen=True, eq=False)
class Inputs:
    """The inputs of a model for a schema: its features in order, then a number for each encoding."""

    schema: FeatureSchema
    encodings: tuple[Encoding, ...] = ()

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """A column for each input."""
        return (*self.schema.features, *(_derived([self.schema.features[place] for place in derived.places]) for derived in self.encodings))

    @cached_property
    def explained(self) -> tuple[Column, ...]:
        """The columns that contributions are shown by: the features, then the pairs. What an encoding of a single feature contributes is
        the feature's."""
        return (*self.schema.features, *(self.columns[place] for place, _ in self._pairs))

    @cached_property
    def parts(self) -> tuple[tuple[Column, ...], ...]:
        """For each explained column the features it speaks of: itself, or the two of a pair."""
        features = self.schema.features
        return (*((column,) for column in features), *(tuple(features[place] for place in pair.places) for _, pair in self._pairs))

    def by_feature(self, values: Floats) -> Floats:
        """Contributions by explained column as those of the features alone, (n, features): half of a pair's is each of its features'.

        The two act only together, so that neither has a better claim (the symmetry of Shapley values).
        """
        features = len(self.schema.features)
        divided = values[:, :features].copy()
        for place, (_, pair) in enumerate(self._pairs, features):
            divided[:, list(pair.places)] += values[:, [place]] / 2
        return divided

    @property
    def _pairs(self) -> list[tuple[int, Encoding]]:
        """The encodings of two features, with their places among the inputs."""
        return [(place, pair) for place, pair in enumerate(self.encodings, len(self.schema.features)) if len(pair.places) > 1]

    def rows(self, rows: Rows) -> Rows:
        """Rows (n, features) with the derived numbers, (n, inputs)."""
        if not self.encodings:
            return rows
        return np.hstack([rows, *(derived.of(rows)[:, None] for derived in self.encodings)])

    def contributions(self, values: Floats) -> Floats:
        """Contributions of the inputs (n, inputs) as those of the explained columns."""
        if not self.encodings:
            return values
        features = len(self.schema.features)
        shown = np.hstack([values[:, :features], values[:, [place for place, _ in self._pairs]]])
        for place, single in enumerate(self.encodings, features):
            if len(single.places) == 1:
                shown[:, single.places[0]] += values[:, place]
        return shown

    def store(self, booster: xgboost.Booster) -> None:
        """Keeps the encodings with the booster. A booster of the features alone stays as it is."""
        if self.encodings:
            document = json.dumps([derived.document(self.schema) for derived in self.encodings], separators=(",", ":"))
            booster.set_attr(**{_ATTRIBUTE: document})

    @classmethod
    def stored(cls, booster: xgboost.Booster, schema: FeatureSchema) -> Self:
        """The inputs of a stored booster for its schema.

        Raises:
            UnreadableEncodings: its encodings cannot be read, or are of other columns.
        """
        text = booster.attr(_ATTRIBUTE)
        if text is None:
            return cls(schema)
        try:
            return cls(schema, tuple(Encoding.from_document(document, schema) for document in json.loads(text)))
        except (ValueError, KeyError, TypeError) as error:
            raise UnreadableEncodings("the encodings of the booster cannot be read") from error


def paired(words: Sequence[str]) -> str:
    """Labels, or values after their labels, of columns that act together: "Fee 7.98 with delivery 7Day"."""
    return " with ".join([words[0], *map(_in_a_sentence, words[1:])])


def _derived(parts: Sequence[Column]) -> Column:
    """The column of an encoding. Its name has a space, so that it differs from every name of a schema."""
    if len(parts) == 1:
        return Column.model_construct(name=f"{parts[0].name} encoded", kind="number", label=parts[0].label)
    label = paired([part.label for part in parts])
    return Column.model_construct(name=_TOGETHER.join(part.name for part in parts), kind="number", label=label)


def _in_a_sentence(label: str) -> str:
    """A label after other words: its first letter is small, unless it begins with an abbreviation."""
    return label if label[1:2].isupper() else label[:1].lower() + label[1:]
