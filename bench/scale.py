"""The cost and time of 10⁴ to 10⁸ customers, computed from measured figures and a dated table of prices. `make scale`.

This is arithmetic on results.json, prices.yaml and the template's defaults; it calls nothing.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import yaml
from samtranslator.yaml_helper import yaml_parse

from bench.pages import between
from bench.results_file import figure, read
from retainstream.runs.imports.load import SPAN_ROWS
from retainstream.runs.imports.survey import MOST_PARTS, SMALLEST_PART
from retainstream.runs.scoring.steps import CUSTOMERS_PER_SEGMENT
from retainstream.telemetry.metrics import METRICS

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/scale.md"
PRICES = Path(__file__).parent / "prices.yaml"
SIZES = (10**4, 10**5, 10**6, 10**7, 10**8)
TRAINING_ROWS = 120_000
"""Rows of the training benchmark's smaller base."""
_INLINE_MOST = 40
_INVOCATION_SECONDS = 840.0
_STARTED_TABLE_WRITES = 4_000
_MONTH_SECONDS = 30 * 24 * 3600


@cache
def prices() -> dict[str, float]:
    """Dollars by name."""
    return {name: float(stated["dollars"]) for name, stated in yaml.safe_load(PRICES.read_text())["prices"].items()}


@cache
def assumed() -> dict[str, float]:
    return {name: float(stated["value"]) for name, stated in yaml.safe_load(PRICES.read_text())["assumptions"].items()}


@cache
def template() -> dict[str, Any]:
    parsed: dict[str, Any] = yaml_parse((ROOT / "template.yaml").read_text())
    return parsed


def parameter(name: str) -> int:
    """A parameter's default."""
    return int(template()["Parameters"][name]["Default"])


def memory_gb(function: str) -> float:
    return float(template()["Resources"][function]["Properties"]["MemorySize"]) / 1024


@dataclass(frozen=True)
class Work:
    """One piece of work: requests to AWS, function seconds by memory, storage units, transitions, seconds on the clock, other dollars."""

    requests: float = 0.0
    invocations: float = 0.0
    gb_seconds: float = 0.0
    reads: float = 0.0
    writes: float = 0.0
    puts: float = 0.0
    gets: float = 0.0
    transitions: float = 0.0
    wall: float = 0.0
    other: float = 0.0

    @property
    def dollars(self) -> float:
        cost = prices()
        return (
            self.gb_seconds * cost["lambda_gb_second"]
            + self.invocations / 1e6 * cost["lambda_million_requests"]
            + self.reads / 1e6 * cost["dynamodb_million_reads"]
            + self.writes / 1e6 * cost["dynamodb_million_writes"]
            + self.puts / 1e3 * cost["s3_thousand_puts"]
            + self.gets / 1e3 * cost["s3_thousand_gets"]
            + self.transitions / 1e3 * cost["states_thousand_transitions"]
            + self.other
        )


def importing(customers: int, figures: dict[str, Any]) -> Work:
    """A file of new customers. Each row is read, its prediction is read after the write (one read unit each), and it is written once."""
    seconds = customers / figure(figures, "importing", "100,000 lines: import") * assumed()["lambda_slowness"]
    size = figure(figures, "importing", "100,000 lines: bytes") * customers
    parts = max(1, min(MOST_PARTS, math.ceil(size / SMALLEST_PART)))
    at_once = min(parts, parameter("ImportConcurrency"))
    invocations = 8 + 3 * parts + seconds / _INVOCATION_SECONDS
    writes = customers * units(figure(figures, "worker", "stored: a customer"), 1024)
    spans = customers / SPAN_ROWS + parts
    puts, gets = 3 * parts + spans, 6 * parts + 2 * spans + 3 * size / (8 << 20)
    return Work(
        requests=customers * (1 + 2 / 100) + puts + gets,
        invocations=invocations,
        gb_seconds=seconds * memory_gb("ImportsFunction"),
        reads=2.0 * customers,
        writes=writes,
        puts=puts,
        gets=gets,
        transitions=20 + 6 * parts,
        wall=max(seconds / at_once, writes / assumed()["writes_per_second_table"]),
    )


def scoring(customers: int, figures: dict[str, Any]) -> Work:
    """All customers scored, with the longest history; the price includes the counters."""
    seconds = customers / figure(figures, "worker", "worker") * assumed()["lambda_slowness"]
    segments, at_once = _segments(customers), min(_segments(customers), concurrency(customers))
    stored = figure(figures, "worker", "stored: a prediction with its longest past")
    customer = figure(figures, "worker", "stored: a customer")
    at_risk = figure(figures, "worker", "stored: in the indexes of those at risk")
    indexes = 2 * 2 * at_risk  # a changed rank is a delete and a put in each of the two indexes
    table_writes = customers * (units(stored, 1024) + indexes)
    reads = customers * (0.5 * customer / 4096 + 0.5 * units(stored, 4096) + customer / 4096 + 0.5 * stored / 4096)
    asked = sum(figure(figures, "worker", f"worker: {name}") for name in ("BatchGetItem", "BatchWriteItem", "Scan"))
    counting = customers * assumed()["counter_microseconds"] / 1e6 * memory_gb("RollupsFunction")
    turns = segments + seconds / _INVOCATION_SECONDS
    return Work(
        requests=customers * asked / 1000,
        invocations=turns + customers / 1000 + 4,
        gb_seconds=seconds * memory_gb("ScoringFunction") + counting,
        reads=reads,
        writes=table_writes + customers * assumed()["counter_writes"],
        puts=turns,
        gets=3 * turns,
        transitions=10 + 3 * turns,
        wall=max(seconds / at_once, table_writes / assumed()["writes_per_second_table"]),
    )


def retraining(customers: int, figures: dict[str, Any]) -> Work:
    """Extract and train, without the scoring that follows. Above the rows that the function takes, a training job fits the model."""
    steps = figures.get("training", {}).get("results", ())
    rows = TRAINING_ROWS
    seconds = sum(step["value"] for step in steps if step["name"].endswith(f": {rows:,} rows") and step["unit"] == "s")
    if not seconds:
        raise KeyError("training has not been measured")
    most = training_rows(figures, memory_gb("RetrainingFunction"))
    labelled = customers * assumed()["labelled_share"]
    customer = figure(figures, "worker", "stored: a customer")
    reads = customers * 0.5 * customer / 4096
    if labelled <= most:
        taken = seconds * max(0.3, labelled / rows) * assumed()["lambda_slowness"]
        return Work(
            requests=customers / 1000,
            invocations=20,
            gb_seconds=taken * memory_gb("RetrainingFunction"),
            reads=reads,
            puts=20,
            gets=40,
            transitions=40,
            wall=taken,
        )
    functions = seconds * (most / rows) * assumed()["lambda_slowness"]
    job = 300 + seconds * (labelled / rows) / 8  # eight processors, and the minutes until an instance is there
    return Work(
        requests=customers / 1000,
        invocations=40,
        gb_seconds=functions * memory_gb("RetrainingFunction"),
        reads=reads,
        puts=40,
        gets=80,
        transitions=80,
        wall=functions + job,
        other=job / 3600 * prices()["sagemaker_hour"],
    )


def training_rows(figures: dict[str, Any], memory: float) -> float:
    """Rows that a function with `memory` GiB takes: the smallest of its steps.

    The benchmark states them for 10 GiB. Memory grows on a straight line with the rows, so a smaller function stands on the same line; for
    a step whose limit is the time, this is a lower bound.
    """

    def of(step: str) -> float:
        peak = figure(figures, "training", f"{step}: {TRAINING_ROWS:,} rows, peak memory") * 1e6
        most = figure(figures, "training", f"{step}: rows a 10 GB function takes")
        return TRAINING_ROWS + (most - TRAINING_ROWS) * (memory * 2**30 - peak) / (10 * 2**30 - peak)

    return min(map(of, ("extract", "validate", "train", "evaluate")))


def dashboard(customers: int, figures: dict[str, Any]) -> Work:
    """A month of dashboard use: the same for all sizes, except for storage."""
    del customers
    requests = assumed()["readers"] * assumed()["views"] * assumed()["requests_a_view"]
    routes = [one["value"] for one in figures.get("reads", {}).get("results", ()) if one["unit"] == "read units"]
    metrics = sum(len(METRICS[name].services) for name in ("Requests", "Latency", "PredictionsMade"))
    a_request = sum(routes) / len(routes) if routes else 4.0
    return Work(
        requests=requests,
        invocations=requests * 1.05,
        gb_seconds=requests * assumed()["milliseconds_a_request"] / 1000 * memory_gb("CustomersFunction"),
        reads=requests * a_request,
        writes=requests,
        other=requests / 1e6 * prices()["http_api_million"]
        + metrics * prices()["metric_month"] * assumed()["hours_used"] / (_MONTH_SECONDS / 3600),
    )


def standing(customers: int, figures: dict[str, Any]) -> float:
    """Dollars a month without any use: tables with backups, the full history, keys, secrets, alarms, a CloudWatch dashboard, snapshots."""
    stored = figure(figures, "worker", "stored: a customer") + figure(figures, "worker", "stored: a prediction with its longest past") + 200
    resources = template()["Resources"]
    snapshots = [name for name, resource in resources.items() if "SnapStart" in resource.get("Properties", {})]
    alarms = [resource["Properties"] for resource in resources.values() if resource["Type"] == "AWS::CloudWatch::Alarm"]
    watched = sum(sum("MetricStat" in metric for metric in alarm.get("Metrics", [])) or 1 for alarm in alarms)
    keys, secrets = (sum(one["Type"] == kind for one in resources.values()) for kind in ("AWS::KMS::Key", "AWS::SecretsManager::Secret"))
    cost = prices()
    each_month: float = (
        customers * stored / 1e9 * (cost["dynamodb_gb_month"] + cost["dynamodb_backup_gb_month"])
        + customers * assumed()["history_bytes"] / 1e9 * assumed()["scoring_runs"] * parameter("HistoryMonths") * cost["s3_gb_month"]
        + sum(memory_gb(name) for name in snapshots) * _MONTH_SECONDS * cost["snapstart_cache_gb_second"]
        + watched * cost["alarm_month"]
        + keys * cost["kms_key_month"]
        + secrets * cost["secret_month"]
        + sum(one["Type"] == "AWS::CloudWatch::Dashboard" for one in resources.values()) * cost["cloudwatch_dashboard_month"]
    )
    return each_month


def units(size: float, unit: int) -> int:
    """Capacity units of an item."""
    return math.ceil(size / unit)


def concurrency(customers: int) -> int:
    """Scoring functions at work: the default, and from ten million customers what a distributed map is for."""
    default = parameter("ScoringConcurrency")
    return default if customers < 10**7 else max(default, 100)


def _segments(customers: int) -> int:
    most = template()["Mappings"]["ScoringMachine"]["inline" if customers < 10**7 else "distributed"]["Segments"]
    return max(1, min(int(most), math.ceil(customers / CUSTOMERS_PER_SEGMENT)))


def tables(figures: dict[str, Any]) -> str:
    """The page's tables."""
    kinds = {
        "An import, every row new": importing,
        "A scoring run": scoring,
        "A retraining": retraining,
        "A month of dashboard use": dashboard,
    }
    heading = ("customers", "AWS requests", "GB-seconds", "read units", "write units", "transitions", "wall time", "dollars")
    parts = [_table(title, heading, partial(_cells, compute, figures)) for title, compute in kinds.items()]
    return "\n\n".join(
        [*parts, _table("Storage and standing costs, a month", ("customers", "dollars"), lambda size: [_dollars(standing(size, figures))])]
    )


def _table(title: str, heading: Sequence[str], cells: Callable[[int], Sequence[str]]) -> str:
    try:
        rows = [heading, ["---:"] * len(heading), *([f"{size:,}", *cells(size)] for size in SIZES)]
    except KeyError as missing:
        return f"### {title}\n\nNot computed: {missing.args[0]}."
    return f"### {title}\n\n" + "\n".join(f"| {' | '.join(row)} |" for row in rows)


def assumptions() -> str:
    """Prices and assumptions as tables."""
    stated = yaml.safe_load(PRICES.read_text())
    lines = [f"Prices of {stated['region']}, written down on {stated['written_down']}:", "", "| dollars | for a |", "|---:|---|"]
    lines += [f"| {one['dollars']:.10f}".rstrip("0").rstrip(".") + f" | {one['unit']} |" for one in stated["prices"].values()]
    lines += ["", "Assumed:", "", "| figure | |", "|---:|---|"]
    lines += [f"| {one['value']:,} | {one['meaning']} |" for one in stated["assumptions"].values()]
    return "\n".join(lines)


def page(text: str, figures: dict[str, Any]) -> str:
    """The page with its tables."""
    return between(between(text, "costs", tables(figures)), "prices", assumptions())


def _cells(compute: Callable[[int, dict[str, Any]], Work], figures: dict[str, Any], size: int) -> list[str]:
    work = compute(size, figures)
    counts = (work.requests, work.gb_seconds, work.reads, work.writes, work.transitions)
    return [*map(_count, counts), _duration(work.wall) if work.wall else "–", _dollars(work.dollars)]


def _count(number: float) -> str:
    return f"{float(f'{number:.3g}'):,.0f}"


def _duration(seconds: float) -> str:
    for size, unit in ((3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"


def _dollars(amount: float) -> str:
    return f"{amount:,.4f}" if amount < 0.01 else f"{amount:,.2f}"


def write() -> None:
    """Brings the page in step with results.json, the prices and the template."""
    PAGE.write_text(page(PAGE.read_text(), read()))


if __name__ == "__main__":
    write()
    print(f"{PAGE.relative_to(ROOT)} is up to date with the figures and the prices.")
