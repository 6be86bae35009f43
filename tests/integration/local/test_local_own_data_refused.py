"""Schemas and customers that cannot be used: one clear line, and nothing half-written."""

import csv
import io
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from rich.console import Console

from local.own_data import OwnData, OwnDataError, ToCorrect
from local.seed import ORIGIN, SeedError, seed
from local.seed_own import seed_own
from local.stack import LocalStack
from local.state import State
from retainstream.engine.schema import default_schema, read_schema
from retainstream.registry.active_schema import set_active_schema
from retainstream.runs.imports.rejects import reject_sentence
from retainstream.storage.customers import Customers
from retainstream.storage.documents import Documents
from tests.made_customers import Row, made_rows, write_rows
from tests.made_lives import seen

ROOT = Path(__file__).parents[3]
TELCO_FILE = ROOT / "examples/schemas/telco.yaml"
TELCO = read_schema(TELCO_FILE)
DRIVERS = {"Contract": -0.5, "tenure": -0.3}
SILENT = Console(file=io.StringIO())


def relabelled(rows: list[Row], header: str, text: Callable[[Row], str]) -> list[Row]:
    return [{**row, header: text(row)} for row in rows]


def without(rows: list[Row], header: str) -> list[Row]:
    return [{name: text for name, text in row.items() if name != header} for row in rows]


TELCO_ROWS = made_rows(TELCO, 300, drivers=DRIVERS)
BAD = {
    "no label column": (without(TELCO_ROWS, "Churn"), "there is no label column Churn"),
    "a label spelled otherwise": (
        [{("Churned" if name == "Churn" else name): text for name, text in row.items()} for row in TELCO_ROWS],
        "did you mean Churned?",
    ),
    "no id column": (without(TELCO_ROWS, "customerID"), "there is no id column customerID"),
    "columns of another business": (
        made_rows(default_schema(), 300, drivers={"watch_time_hours": -0.5}),
        "there is no column gender, SeniorCitizen",
    ),
    "nobody left": (
        relabelled(TELCO_ROWS, "Churn", lambda _: "No"),
        'Churn: no row has the positive value "Yes". Write the words that mean it into the schema, as label.left',
    ),
    "everybody left": (relabelled(TELCO_ROWS, "Churn", lambda _: "Yes"), "customers with a known outcome stayed"),
    "no outcome is known": (relabelled(TELCO_ROWS, "Churn", lambda _: ""), "Only 0 customers with a known outcome"),
    "30 rows": (TELCO_ROWS[:30], "Only 30 customers with a known outcome: at least 200 are needed"),
    "levels the schema does not have": (
        relabelled(TELCO_ROWS, "Contract", lambda _: "Weekly"),
        'column Contract: no cell can be read, such as "Weekly", which is new (300 rows)',
    ),
    "numbers that are none": (
        relabelled(TELCO_ROWS, "MonthlyCharges", lambda _: "dear"),
        'column MonthlyCharges: no cell can be read, such as "dear", which is not a number (300 rows)',
    ),
    "one id for all": (relabelled(TELCO_ROWS, "customerID", lambda _: "C1"), "column customerID: is the id of an earlier row (299 rows)"),
    "ids that cannot be printed": (
        relabelled(TELCO_ROWS, "customerID", lambda row: "\x07" + row["customerID"]),
        "column customerID: must be 1 to 128",
    ),
    "2,000 columns of something else": ([{f"c{number}": "1" for number in range(2000)}] * 300, "and 1992 more"),
}


@pytest.mark.parametrize(("rows", "said"), BAD.values(), ids=BAD)
def test_bad_data_is_told_in_one_line(rows: list[Row], said: str, tmp_path: Path) -> None:
    data = write_rows(tmp_path / "data.csv", rows)
    with pytest.raises(OwnDataError) as raised:
        OwnData(TELCO_FILE, data).survey(TELCO)
    line = str(raised.value)
    assert said in line
    assert line.startswith(str(data))
    assert "\n" not in line
    assert len(line) < 1500


def test_bad_files_are_told_in_one_line(tmp_path: Path) -> None:
    data = write_rows(tmp_path / "data.csv", TELCO_ROWS)
    header, _, rest = data.read_text().partition("\n")
    (tmp_path / "twice.csv").write_text(f"{header.replace('Partner', 'gender')}\n{rest}")
    (tmp_path / "header.csv").write_text(f"{header}\n")
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "ragged.csv").write_text(f"{header}\n1,2,3\n{rest}")
    (tmp_path / "schema.yaml").write_text(TELCO_FILE.read_text().replace("kind: integer", "kind: whole"))
    wide = json.loads(TELCO.model_dump_json())
    wide["columns"] += [{"name": f"c{number}", "kind": "number", "label": "C"} for number in range(2000)]
    (tmp_path / "wide.json").write_text(json.dumps(wide))
    for schema, name, said in (
        (TELCO_FILE, "none.csv", "no such file"),
        (TELCO_FILE, "twice.csv", "the header names it 2 times"),
        (TELCO_FILE, "header.csv", "has a header and no rows"),
        (TELCO_FILE, "empty.csv", "is empty"),
        (TELCO_FILE, "ragged.csv", "line 2: has 3 fields where the header has 21"),
        (tmp_path / "schema.yaml", "data.csv", "column tenure, kind: should be"),
        (tmp_path / "wide.json", "data.csv", "at most 500"),
        (tmp_path / "none.yaml", "data.csv", "no such file"),
    ):
        with pytest.raises(OwnDataError) as raised:
            OwnData(schema, tmp_path / name).survey(TELCO)
        assert said in str(raised.value)
        assert "\n" not in str(raised.value)


@pytest.mark.parametrize("dialect", ["utf-8-sig", "utf-16", "cp1252", "semicolons and decimal commas", "2,000 columns more"])
def test_dialects_are_read_alike(dialect: str, tmp_path: Path) -> None:
    rows = relabelled(TELCO_ROWS, "PaymentMethod", lambda _: "Mailed check")
    if dialect.startswith("2,000"):
        rows = [{**row, **{f"c{number}": "1" for number in range(2000)}} for row in rows]
    semicolons = dialect.startswith("semicolons")
    if semicolons:
        rows = relabelled(rows, "MonthlyCharges", lambda row: row["MonthlyCharges"].replace(".", ","))
        rows = relabelled(rows, "TotalCharges", lambda row: row["TotalCharges"].replace(".", ","))
    encoding = "utf-8" if semicolons or dialect.startswith("2,000") else dialect
    data = write_rows(tmp_path / "data.csv", rows, delimiter=";" if semicolons else ",", encoding=encoding)
    own = OwnData(TELCO_FILE, data)
    own.survey(TELCO)
    with own.intake(TELCO) as intake:
        customers = list(intake.customers())
    assert len(customers) == len(rows)
    assert [customer.features["MonthlyCharges"] for customer in customers] == [float(row["MonthlyCharges"]) for row in TELCO_ROWS]
    assert all(len(note) < 300 for note in intake.notes())


def test_a_few_bad_rows_are_turned_away_and_the_rest_taken(tmp_path: Path) -> None:
    rows = [{**row, "customerID": "", "tenure": "-1"} if number % 10 == 0 else row for number, row in enumerate(TELCO_ROWS)]
    own = OwnData(TELCO_FILE, write_rows(tmp_path / "data.csv", rows))
    own.survey(TELCO)
    refused: list[tuple[int, str]] = []
    with own.intake(TELCO, lambda problem: refused.append((problem.line, problem.column))) as intake:
        customers = list(intake.customers())
    assert len(customers) == 270
    assert (intake.rows, intake.refused, intake.left + intake.stayed) == (300, 30, 270)
    assert refused[:2] == [(2, "customerID"), (12, "customerID")]
    rows[1] = {**rows[1], "customerID": ""}
    with pytest.raises(OwnDataError, match="31 of 300 rows contradict"):
        OwnData(TELCO_FILE, write_rows(tmp_path / "more.csv", rows)).survey(TELCO)


def test_rows_to_correct_are_kept_as_they_came(tmp_path: Path) -> None:
    rows = [{**row, "customerID": "C1"} if number % 15 == 0 else row for number, row in enumerate(TELCO_ROWS)]
    rows = [{**row, "Contract": "Weekly"} if number % 15 == 1 else row for number, row in enumerate(rows)]
    own = OwnData(TELCO_FILE, write_rows(tmp_path / "data.csv", rows))
    own.survey(TELCO)
    to_correct = ToCorrect(tmp_path)
    with own.sorted_intake(TELCO, to_correct) as (intake, accepted):
        assert len(list(accepted)) == 281
    assert (intake.rows, intake.refused) == (300, 19)
    assert list(map(reject_sentence, to_correct.kinds.listed())) == ["19 × customerID: is the id of an earlier row (first in line 17)"]
    assert intake.unread.sentences() == ['20 × Contract: "Weekly" is new']
    errors = {"rejected": "customerID: is the id of an earlier row", "unread": 'Contract: "Weekly" is new'}
    for name, error in errors.items():
        lines = list(csv.DictReader((tmp_path / f"{name}-rows.csv").open(encoding="utf-8-sig")))
        assert {line.pop("error") for line in lines} == {error}
        assert all(line in rows for line in lines)
        assert len(lines) == {"rejected": 19, "unread": 20}[name]


def test_customers_whose_ids_differ_in_leading_zeros_alone_are_named(tmp_path: Path) -> None:
    rows = [{**row, "customerID": f"{number:05d}"} for number, row in enumerate(TELCO_ROWS)]
    again = [{**row, "customerID": row["customerID"].lstrip("0")} for row in rows[1:20]]
    own = OwnData(TELCO_FILE, write_rows(tmp_path / "data.csv", [*rows, *again]))
    own.survey(TELCO)
    assert own.twice.startswith("19 customers differ from others of the file in leading zeros alone: 00001 and 1, ")
    plain = OwnData(TELCO_FILE, write_rows(tmp_path / "plain.csv", rows))
    plain.survey(TELCO)
    assert plain.twice == ""


def test_cells_that_cannot_be_read_cost_no_customer(tmp_path: Path) -> None:
    rows = [{**row, "tenure": "-1", "Contract": "Weekly"} if number % 3 == 0 else row for number, row in enumerate(TELCO_ROWS)]
    own = OwnData(TELCO_FILE, write_rows(tmp_path / "data.csv", rows))
    own.survey(TELCO)
    with own.intake(TELCO) as intake:
        customers = list(intake.customers())
    assert (len(customers), intake.refused) == (300, 0)
    assert not customers[0].features.keys() & {"tenure", "Contract"}
    assert intake.unread.sentences() == ['100 × Contract: "Weekly" is new', '100 × tenure: "-1" is below 0']


def ends(folder: Path, *arguments: object) -> str:
    """What a start prints that ends with exit code 1."""
    command = [sys.executable, "-m", "local", "--port", "0", "--data-dir", str(folder), *map(str, arguments)]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert (answer.returncode, answer.stderr) == (1, ""), answer
    return answer.stdout


def test_nothing_is_made_or_forgotten_for_bad_input(tmp_path: Path) -> None:
    data = write_rows(tmp_path / "data.csv", without(TELCO_ROWS, "Churn"))
    folder = tmp_path / "state"
    told = ends(folder, "--schema", TELCO_FILE, "--data", data)
    assert len(told.strip().splitlines()) == 1
    assert "there is no label column Churn" in told
    assert not folder.exists()
    folder.mkdir()
    (folder / "state.sqlite3").write_bytes(b"what was there")
    ends(folder, "--reset", "--schema", TELCO_FILE, "--data", data)
    assert (folder / "state.sqlite3").read_bytes() == b"what was there"


@pytest.fixture
def state(aws: None, tmp_path: Path) -> Iterator[State]:
    """A state with telco's schema in force, of which a test says what it was made from."""
    set_active_schema(Documents(), TELCO)
    kept = State(tmp_path / "state")
    yield kept
    kept.close()


def start_with(state: State, schema: Path | None, data: Path | None) -> None:
    stack = LocalStack()
    stack.state = state
    seed_own(stack, OwnData(schema, data), Path("data-folder"), SILENT)


def test_a_state_of_something_else_is_left_alone(state: State, tmp_path: Path) -> None:
    data = write_rows(tmp_path / "data.csv", TELCO_ROWS)
    state.begin_seeding(ORIGIN, OwnData(TELCO_FILE, data).origin(TELCO))
    state.keep_seeded()
    Customers().put({"customer_id": "one", "group": "Two year", "features": {}, "source": "import", "life": seen()})
    other = tmp_path / "other.yaml"
    other.write_text(TELCO_FILE.read_text().replace("Online backup", "Backup"))
    for schema, given, said in (
        (ROOT / "examples/schemas/streaming.yaml", None, "holds a state with the schema telco"),
        (other, data, "holds a state with another version of the schema telco"),
        (None, write_rows(tmp_path / "later.csv", TELCO_ROWS[1:]), "holds customers who are not those of"),
    ):
        with pytest.raises(SeedError, match=said) as raised:
            start_with(state, schema, given)
        assert "RESET=1" in str(raised.value)
    for schema, given in ((None, data), (TELCO_FILE, data), (TELCO_FILE, None)):
        start_with(state, schema, given)
    assert state.seeded


def test_a_first_start_that_was_cut_off_is_not_mixed_with_another(state: State, tmp_path: Path) -> None:
    state.begin_seeding(ORIGIN, OwnData(TELCO_FILE, write_rows(tmp_path / "data.csv", TELCO_ROWS)).origin(TELCO))
    with pytest.raises(SeedError, match="unfinished state of another start"):
        start_with(state, TELCO_FILE, write_rows(tmp_path / "later.csv", TELCO_ROWS[1:]))
    stack = LocalStack()
    stack.state = state
    with pytest.raises(SeedError, match="was interrupted"):
        seed(stack, 100, SILENT)
    assert Customers().page(1).items == []


def test_bad_customers_leave_a_state_without_customers_as_it_is(state: State, tmp_path: Path) -> None:
    state.begin_seeding(ORIGIN, OwnData(TELCO_FILE, None).origin(TELCO))
    state.keep_seeded()
    before = state.remembered(ORIGIN)
    with pytest.raises(OwnDataError, match="Only 30 customers"):
        start_with(state, None, write_rows(tmp_path / "few.csv", TELCO_ROWS[:30]))
    assert (state.seeded, state.remembered(ORIGIN)) == (True, before)
    assert Customers().page(1).items == []
