"""Numbers for pairs of columns: chosen where two columns act together, and never from a row's own outcome."""

import json

import numpy as np
import pytest
import xgboost
from hypothesis import given, settings
from hypothesis import strategies as st

from retainstream.engine.learning.card.influence import explanation
from retainstream.engine.learning.dataset import key_of
from retainstream.engine.learning.importance import importance
from retainstream.engine.learning.pairs import encoded, may_be_encoded
from retainstream.engine.learning.parity import parity
from retainstream.engine.model.encoding import Rows
from retainstream.engine.model.inputs import Encoding, Inputs, by_feature
from retainstream.engine.model.model import ScoringModel, UnusableModel, matrix
from retainstream.engine.model.predictions import scores
from retainstream.engine.records import Score
from retainstream.engine.schema import FeatureSchema

SIZES = {"fee": 12, "delivery": 10, "region": 9, "gender": 2}


def schema(*names: str) -> FeatureSchema:
    categories = [
        {
            "name": name,
            "label": name.capitalize(),
            "kind": "category",
            "levels": [f"{name} {level}" for level in range(size)],
            "missing": True,
        }
        for name, size in SIZES.items()
        if name in names
    ]
    columns = [*categories, {"name": "age", "label": "Age", "kind": "number", "missing": True}]
    whole = {"name": "made", "title": "Made", "id": {"column": "id"}, "label": {"column": "left", "positive": 1}, "horizon_days": 30}
    return FeatureSchema.model_validate({**whole, "columns": columns})


SCHEMA = schema(*SIZES)
FEATURES = [column.name for column in SCHEMA.features]
PAIR = FEATURES.index("fee"), FEATURES.index("delivery")


def table(rows: int, *, together: float, seed: int = 0) -> tuple[Rows, np.ndarray, np.ndarray]:
    """Rows whose fee and delivery act together by this much, in log-odds; the outcomes; the customers' keys, two rows for each."""
    rng = np.random.default_rng(seed)
    levels = [rng.integers(0, size, rows) for size in SIZES.values()]
    margin = -1 + rng.normal(0, together, (SIZES["fee"], SIZES["delivery"]))[levels[0], levels[1]] + rng.normal(0, 0.3, 12)[levels[0]]
    encoded_rows = np.column_stack([*levels, rng.normal(40, 10, rows)]).astype(np.float32)
    encoded_rows[rng.random(encoded_rows.shape) < 0.02] = np.nan
    keys = np.array([key_of(str(row // 2)) for row in range(rows)], dtype=np.uint64)
    return encoded_rows, rng.random(rows) < 1 / (1 + np.exp(-margin)), keys


def test_the_pair_that_acts_together_is_encoded() -> None:
    rows, churned, keys = table(4_000, together=0.8)
    inputs, learned = encoded(SCHEMA, rows, churned, keys, 0)
    assert [derived.places for derived in inputs.encodings] == [PAIR]
    assert [column.name for column in inputs.columns] == [*FEATURES, "fee & delivery"]
    assert inputs.columns[-1].label == "Fee with delivery"
    assert learned.shape == (4_000, 6)
    assert learned.dtype == np.float32
    np.testing.assert_array_equal(learned[:, :5], rows)


@pytest.mark.parametrize("seed", range(4))
def test_columns_that_act_each_by_itself_are_not_encoded(seed: int) -> None:
    rows, churned, keys = table(4_000, together=0.0, seed=seed)
    inputs, learned = encoded(SCHEMA, rows, churned, keys, 0)
    assert inputs.columns == SCHEMA.features
    assert learned is rows


def test_a_row_does_not_see_the_outcomes_of_its_customer() -> None:
    rows, churned, keys = table(4_000, together=0.8)
    rare = (rows[:, 0] == 11) & (rows[:, 1] == 9)
    rows[rare, 1] = 8
    rows[:2, :2], churned[:2] = (11, 9), True
    inputs, learned = encoded(SCHEMA, rows, churned, keys, 0)
    others = churned[2:].mean()
    log_odds = np.log(others / (1 - others))
    assert learned[:2, 5] == pytest.approx([log_odds, log_odds], abs=0.1)
    assert inputs.rows(rows)[0, 5] > log_odds + 0.2


def test_outcomes_without_a_pattern_do_not_show_in_the_learned_rows() -> None:
    """A number that had seen the row's own outcome would tell leavers of pure chance apart."""
    rows, churned, keys = table(4_000, together=1.0)
    inputs, learned = encoded(SCHEMA, rows, churned, keys, 0)
    shuffled = np.random.default_rng(1).permutation(churned)
    derived = inputs.encodings[0]
    assert abs(np.corrcoef(derived.of(rows), shuffled)[0, 1]) < 0.05
    assert np.corrcoef(learned[:, 5], churned)[0, 1] < np.corrcoef(derived.of(rows), churned)[0, 1]


def test_the_same_rows_give_the_same_inputs() -> None:
    rows, churned, keys = table(2_000, together=0.8)
    (first, learned), (second, again) = (encoded(SCHEMA, rows, churned, keys, 3) for _ in range(2))
    assert [derived.document(SCHEMA) for derived in first.encodings] == [derived.document(SCHEMA) for derived in second.encodings]
    np.testing.assert_array_equal(learned, again)


def test_few_levels_make_no_pairs() -> None:
    assert may_be_encoded(SCHEMA)
    assert not may_be_encoded(schema("fee", "gender"))


values = st.one_of(st.none(), st.integers(0, 4))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(values, values), min_size=1, max_size=30, unique=True), st.lists(st.tuples(values, values), max_size=30))
def test_an_encoding_looks_up_the_cell_of_a_row(
    cells: list[tuple[int | None, int | None]], asked: list[tuple[int | None, int | None]]
) -> None:
    scores = np.arange(1, len(cells) + 1, dtype=np.float32)
    made = Encoding(PAIR, np.array(cells, dtype=np.float32), scores, -0.5)
    stored = Encoding.from_document(json.loads(json.dumps(made.document(SCHEMA))), SCHEMA)
    rows = np.full((len(asked), 5), np.nan, dtype=np.float32)
    rows[:, :2] = np.array(asked, dtype=np.float32).reshape(-1, 2)
    expected = [float(scores[cells.index(pair)]) if pair in cells else -0.5 for pair in asked]
    for encoding in (made, stored):
        assert encoding.of(rows).tolist() == expected
        assert [encoding.of(rows[[place]])[0] for place in range(len(rows))] == expected


def model_with_a_pair() -> tuple[ScoringModel, Inputs, Rows, np.ndarray]:
    rows, churned, keys = table(2_000, together=1.0)
    inputs, learned = encoded(SCHEMA, rows, churned, keys, 0)
    booster = xgboost.train(
        {"objective": "binary:logistic", "max_depth": 3, "nthread": 1}, matrix(inputs.columns, learned, label=churned), 10
    )
    inputs.store(booster)
    return (
        ScoringModel.from_bytes(bytes(booster.save_raw("ubj")), {"method": "none"}, SCHEMA, threshold=0.5, version="v"),
        inputs,
        rows,
        churned,
    )


def test_one_file_has_the_trees_and_the_numbers_of_the_pairs() -> None:
    model, inputs, rows, churned = model_with_a_pair()
    assert [column.name for column in model.inputs.columns] == [*FEATURES, "fee & delivery"]
    np.testing.assert_array_equal(model.inputs.rows(rows), inputs.rows(rows))
    explained = model.explain(rows)
    assert explained.contributions.shape == (2_000, 6)
    np.testing.assert_allclose(explained.base_margin + explained.contributions.sum(axis=1), model.margins(rows), atol=1e-5)
    assert explained.margin[churned].mean() > explained.margin[~churned].mean()


def test_what_an_encoded_column_contributes_is_the_columns() -> None:
    single = Encoding((1,), np.arange(10, dtype=np.float32)[:, None], np.linspace(-1, 1, 10, dtype=np.float32), 0.0)
    pair = Encoding(PAIR, np.zeros((1, 2), dtype=np.float32), np.ones(1, dtype=np.float32), 0.0)
    inputs = Inputs(SCHEMA, (single, pair))
    assert [column.name for column in inputs.columns] == [*FEATURES, "delivery encoded", "fee & delivery"]
    assert [column.name for column in inputs.explained] == [*FEATURES, "fee & delivery"]
    assert [tuple(part.name for part in parts) for parts in inputs.parts][-1] == ("fee", "delivery")
    values = np.arange(7, dtype=np.float64)[None]
    assert inputs.contributions(values).tolist() == [[0, 1 + 5, 2, 3, 4, 6]]


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[{}]",
        '[{"columns":["fee","unknown"],"cells":[[0,0]],"scores":[1],"prior":0}]',
        '[{"columns":["fee"],"cells":[[0,0]],"scores":[1],"prior":0}]',
    ],
)
def test_encodings_that_cannot_be_read_make_the_model_unusable(text: str) -> None:
    rows, churned, _ = table(200, together=0.0)
    booster = xgboost.train({"objective": "binary:logistic", "nthread": 1}, matrix(SCHEMA.features, rows, label=churned), 2)
    booster.set_attr(encodings=text)
    with pytest.raises(UnusableModel):
        ScoringModel.from_bytes(bytes(booster.save_raw("ubj")), {"method": "none"}, SCHEMA, threshold=0.5, version="v")


def scored_by_its_pair(action: dict[str, object] | None = None) -> tuple[ScoringModel, Score]:
    """A model that looks at a pair alone, and the score of a customer whom the pair moves up."""
    priced = SCHEMA.model_dump(mode="json")
    priced["columns"][PAIR[0]] |= {"action": action}
    priced["columns"].append({"name": "price", "kind": "number", "label": "Price", "feature": False})
    priced["money"] = {"price": "price", "offer_cost": 1, "save_rate": 0.5}
    money_schema = FeatureSchema.model_validate(priced)
    rows, _, _ = table(400, together=0.0)
    acting = (rows[:, 0] == 3) & (rows[:, 1] == 4)
    inputs = Inputs(money_schema, (Encoding(PAIR, np.array([[3, 4]], dtype=np.float32), np.ones(1, dtype=np.float32), -1.0),))
    learned = matrix(inputs.columns, inputs.rows(rows), label=acting)
    booster = xgboost.train({"objective": "binary:logistic", "max_depth": 1, "min_child_weight": 0, "nthread": 1}, learned, 1)
    inputs.store(booster)
    model = ScoringModel.from_bytes(bytes(booster.save_raw("ubj")), {"method": "none"}, money_schema, threshold=0.5, version="v")
    return model, scores(model, [{"fee": "fee 3", "delivery": "delivery 4", "age": 40, "price": 50}])[0]


def test_a_pair_is_a_reason_in_words() -> None:
    _, score = scored_by_its_pair()
    (reason,) = [reason for reason in score["reasons"] if reason["feature"] == "fee & delivery"]
    assert reason["label"] == "Fee with delivery"
    assert reason["value"] == "fee 3 with delivery 4"
    assert reason["text"].startswith("Fee fee 3 with delivery delivery 4: +")
    assert set(score["contributions"]) == {*FEATURES, "fee & delivery"}
    assert sum(score["contributions"].values()) == pytest.approx(score["margin"] - score["base_margin"], abs=1e-5)


def test_a_changed_column_changes_its_pair() -> None:
    model, before = scored_by_its_pair()
    after, unknown = scores(model, [{**before["features"], "delivery": "delivery 5"}, {**before["features"], "delivery": None}])
    assert after["contributions"]["fee & delivery"] < before["contributions"]["fee & delivery"]
    assert after["probability"] < before["probability"]
    texts = [reason["text"] for reason in unknown["reasons"]]
    assert [text.split(":")[0] for text in texts] == ["Fee fee 3 with delivery unknown"]


def test_half_of_what_a_pair_raises_counts_for_the_action_of_one_of_its_columns() -> None:
    _, score = scored_by_its_pair({"title": "Lower the fee"})
    assert score["action"] is not None
    assert score["action"]["feature"] == "fee"
    raising = {name: amount for name, amount in score["contributions"].items() if amount > 0}
    assert set(raising) == {"fee & delivery"}
    assert score["action"]["share_of_raise"] == 0.5


def test_the_history_has_the_contributions_of_the_features() -> None:
    divided = by_feature({"fee": 0.25, "delivery": -0.5, "fee & delivery": 1.0})
    assert divided == {"fee": 0.75, "delivery": 0.0}


def test_importance_names_the_pair_without_a_direction() -> None:
    model, _, rows, _ = model_with_a_pair()
    entries = {entry["feature"]: entry for entry in importance(model, rows)}
    assert set(entries) == {*FEATURES, "fee & delivery"}
    assert (entries["fee & delivery"]["label"], entries["fee & delivery"]["direction"]) == ("Fee with delivery", "mixed")
    drawn = {column["feature"]: column for column in explanation(model, rows)["columns"]}
    assert (drawn["fee & delivery"]["kind"], drawn["fee & delivery"]["ranks"]) == ("category", [])
    assert drawn["fee & delivery"]["mean_abs"] == pytest.approx(entries["fee & delivery"]["mean_abs_contribution"], abs=1e-4)


def test_contributions_of_a_model_with_pairs_are_those_of_the_shap_package() -> None:
    model, _, rows, _ = model_with_a_pair()
    assert parity(model, rows).passed
