"""Two copies of a column are named, and the second is left out; columns that only resemble each other are not."""

import numpy as np

from retainstream.engine.drafting.drafting import draft
from retainstream.engine.drafting.yaml_document import yaml_of
from retainstream.engine.learning.checks import check
from retainstream.engine.learning.labelled import labelled
from retainstream.engine.tables.columnar import customers_in
from tests.made_tables import LABEL, as_table, clean


def test_a_second_copy_of_a_column_is_named_and_left_out() -> None:
    made = clean(3, rows=(800, 2000), most_columns=12)
    spend = [f"{value:.2f}" for value in made.rng.gamma(2, 30, len(made.churned))]
    table = made.with_column("spend", spend)
    again = as_table(
        {
            **{name: column.texts() for name, column in table.columns.items() if name != LABEL},
            "Spend EUR": spend,
            LABEL: table.columns[LABEL].texts(),
        }
    )
    drafted = draft(again, LABEL)
    [found] = drafted.warnings
    assert (found.sort, found.columns) == ("duplicates", ("Spend EUR", "spend"))
    assert drafted.schema.column("spend").feature
    assert not drafted.schema.column("Spend_EUR").feature
    assert "A copy of spend" in yaml_of(drafted)


def test_numbers_in_another_spelling_are_a_copy() -> None:
    made = clean(4, rows=(800, 2000), most_columns=12)
    whole = made.rng.integers(0, 50, len(made.churned))
    gone = made.rng.random(len(whole)) < 0.1
    made.columns["visits"] = ["" if none else str(value) for none, value in zip(gone, whole, strict=True)]
    found = draft(
        made.with_column("visits_again", ["N/A" if none else f"{value}.0" for none, value in zip(gone, whole, strict=True)]), LABEL
    )
    assert [(finding.sort, finding.columns) for finding in found.warnings] == [("duplicates", ("visits_again", "visits"))]


def test_the_same_values_in_other_words_are_a_note() -> None:
    made = clean(5, rows=(800, 2000), most_columns=12)
    plan = made.rng.choice(["basic", "plus", "pro"], len(made.churned))
    made.columns["plan"] = plan.tolist()
    drafted = draft(made.with_column("plan_code", [{"basic": 7, "plus": 3, "pro": 9}[value] for value in plan]), LABEL)
    assert drafted.warnings == []
    assert [finding.columns for finding in drafted.notes if finding.evidence.get("compared") == "columns"] == [("plan_code", "plan")]


def test_columns_whose_values_hardly_repeat_are_no_copies_of_each_other() -> None:
    rng = np.random.default_rng(6)
    columns = {f"score_{place}": [f"{value:.6f}" for value in rng.normal(size=1000)] for place in range(5)}
    columns[LABEL] = [str(int(value)) for value in rng.random(1000) < 0.3]
    drafted = draft(as_table(columns), LABEL)
    assert drafted.warnings == []
    assert [finding for finding in drafted.notes if finding.evidence.get("compared") == "columns"] == []


def test_training_names_a_second_copy() -> None:
    made = clean(3, rows=(800, 2000), most_columns=12)
    spend = [f"{value:.2f}" for value in made.rng.gamma(2, 30, len(made.churned))]
    table = made.with_column("spend", spend)
    schema = draft(table, LABEL).schema
    data = labelled(customers_in(table, schema))
    names = [column.name for column in schema.features]
    other = next(place for place, column in enumerate(schema.features) if column.kind == "number" and column.name != "spend")
    data.rows[:, other] = data.rows[:, names.index("spend")]
    found = [finding for finding in check(data, fewest_rows=200) if finding.code == "duplicates"]
    assert [finding.column for finding in found] == ["spend"]
    assert "has the same value as" in found[0].detail
