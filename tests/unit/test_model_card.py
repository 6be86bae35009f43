"""The model card: its curves and intervals, its page, what it says about any schema."""

import base64
import hashlib
import re
from collections.abc import Iterator
from dataclasses import replace
from importlib.resources import files
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn import metrics as reference_metrics

from retainstream.engine.learning import metrics
from retainstream.engine.learning.card import numbers
from retainstream.engine.learning.card.assemble import assemble
from retainstream.engine.learning.card.curves import MOST_POINTS, precision_recall_curve, roc_curve, score_histogram
from retainstream.engine.learning.card.document import Card
from retainstream.engine.learning.card.drawing import round_axis, shortened
from retainstream.engine.learning.card.influence import DRAWN_ROWS, explanation
from retainstream.engine.learning.card.page import page, policy, style
from retainstream.engine.learning.card.purpose import limits
from retainstream.engine.learning.intervals import figure_intervals
from retainstream.engine.learning.shares import wilson
from retainstream.engine.schema import FeatureSchema, default_schema
from retainstream.runs.retraining.workbench import sides
from tests.made_cards import PASSED, Page, data_of, made, synthetic_candidate, synthetic_card, synthetic_data

HOSTILE = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>&amp;{{ 7*7 }}"


def outcomes(rows: int, seed: int, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Outcomes of both kinds, and probabilities with ties where `steps` are few."""
    rng = np.random.default_rng(seed)
    probabilities = np.round(rng.random(rows) * steps) / steps
    churned = rng.random(rows) < probabilities
    churned[:2] = [True, False]
    return churned, probabilities


@given(st.integers(2, 3_000), st.integers(0, 2**32 - 1), st.sampled_from([1, 5, 100, 10**6]))
def test_curves_are_those_of_scikit_learn(rows: int, seed: int, steps: int) -> None:
    churned, probabilities = outcomes(rows, seed, steps)
    false_positive, true_positive, thresholds = reference_metrics.roc_curve(churned, probabilities)
    precision, recall, cuts = reference_metrics.precision_recall_curve(churned, probabilities, drop_intermediate=True)
    found = roc_curve(churned, probabilities)
    all_found = precision_recall_curve(churned, probabilities)
    for names, curve, full in (
        (("false_positive_rate", "true_positive_rate", "threshold"), found, (false_positive, true_positive, thresholds)),
        (("recall", "precision", "threshold"), all_found, (recall, precision, np.append(cuts, np.inf))),
    ):
        points = list(zip(*(curve[name] for name in names), strict=True))
        expected = [tuple(round(float(value), 6) if np.isfinite(value) else None for value in point) for point in zip(*full, strict=True)]
        assert len(points) <= MOST_POINTS
        assert set(points) <= set(expected)
        assert (points[0], points[-1]) == (expected[0], expected[-1])
        if len(expected) <= MOST_POINTS:
            assert points == expected


def test_a_thinned_curve_keeps_its_area() -> None:
    churned, probabilities = outcomes(50_000, 1, 10**6)
    found = roc_curve(churned, probabilities)
    x, y = np.array(found["false_positive_rate"], dtype=float), np.array(found["true_positive_rate"], dtype=float)
    assert reference_metrics.auc(x, y) == pytest.approx(reference_metrics.roc_auc_score(churned, probabilities), abs=0.002)
    assert np.diff(x).max() < 0.02


def test_the_score_histogram_counts_everybody() -> None:
    found = score_histogram(np.array([0.0, 0.05, 0.5, 0.999, 1.0]))
    assert sum(found["counts"]) == found["rows"] == 5
    assert (found["counts"][0], found["counts"][1], found["counts"][-1]) == (1, 1, 2)


def test_intervals_hold_their_figures() -> None:
    churned, probabilities = outcomes(2_000, 2, 10**6)
    found = figure_intervals(churned, probabilities, 0.5, seed=0)
    figures: dict[str, Any] = {**metrics.summary(churned, probabilities, 0.5)}
    assert set(found) == {"roc_auc", "pr_auc", "log_loss", "brier", "precision", "recall", "f1", "top_decile_lift"}
    for name, interval in found.items():
        assert interval.low < figures[name] < interval.high
        assert interval.high - interval.low < 0.25 * max(1.0, figures[name])


def test_a_figure_without_rows_gets_no_interval() -> None:
    churned, probabilities = outcomes(500, 3, 10**6)
    found = figure_intervals(churned, probabilities / 2, 0.9, seed=0)
    assert "precision" not in found
    assert (found["recall"].low, found["recall"].high) == pytest.approx(wilson(0, churned.sum()))


def test_three_churners_on_top_are_no_proof_of_a_perfect_model() -> None:
    churned = np.arange(60) < 3
    found = figure_intervals(churned, np.linspace(0.9, 0.1, 60), 0.86, seed=0)
    assert {"roc_auc", "pr_auc", "top_decile_lift"}.isdisjoint(found)
    for name in ("precision", "recall"):
        assert (found[name].low, found[name].high) == pytest.approx(wilson(3, 3))
    assert found["f1"].low < 0.7


def test_groups_with_few_churners_are_not_judged() -> None:
    left = made(synthetic_data())
    few = {**left.figures["groups"]["premium"], "churned": 19}
    card = assemble(replace(left, figures={**left.figures, "groups": {**left.figures["groups"], "premium": few}}))
    assert {group.group: group.few for group in card.groups} == {"basic": False, "standard": False, "premium": True}
    assert "These groups have too few held-out churners to judge them: premium (19)." in card.limits
    assert "too few churners" in " ".join(Page(page(card)).shown())
    for group in card.groups:
        assert group.observed_to_expected is not None
        assert group.observed_to_expected_low is not None
        assert group.observed_to_expected_high is not None
        assert group.observed_to_expected_low < group.observed_to_expected < group.observed_to_expected_high


@given(st.integers(1, 100_000), st.floats(0, 1))
def test_wilsons_interval_is_scipys(rows: int, share: float) -> None:
    successes = round(rows * share)
    expected = binomtest(successes, rows).proportion_ci(method="wilson")
    assert wilson(successes, rows) == pytest.approx((expected.low, expected.high), abs=1e-6)


def test_shap_values_are_the_models_contributions_and_only_ranks_of_values_are_told() -> None:
    data = synthetic_data()
    model, rows = synthetic_candidate().model, sides(data)[1].rows
    found = explanation(model, rows)
    contributions = model.explain(rows[: found["rows"]]).contributions
    places = {column.name: place for place, column in enumerate(data.schema.features)}
    drawn = np.linspace(0, found["rows"] - 1, min(DRAWN_ROWS, found["rows"])).astype(int)
    assert [column["mean_abs"] for column in found["columns"]] == sorted((c["mean_abs"] for c in found["columns"]), reverse=True)
    for column in found["columns"]:
        place = places[column["feature"]]
        assert column["values"] == pytest.approx(contributions[drawn, place], abs=2e-4)
        assert column["mean_abs"] == pytest.approx(np.abs(contributions[:, place]).mean(), abs=1e-4)
        if column["kind"] == "category":
            assert column["ranks"] == []
        else:
            assert [rank is None for rank in column["ranks"]] == np.isnan(rows[drawn, place]).tolist()
            assert all(0 <= rank <= 1 for rank in column["ranks"] if rank is not None)


def test_the_card_agrees_with_the_evaluation() -> None:
    left = made(synthetic_data())
    card, figures = assemble(left), left.figures
    assert card.figure("roc_auc").value == figures["held_out"]["roc_auc"]
    assert card.figure("roc_auc").ceiling == figures["ceiling"]["roc_auc"]
    for figure in card.figures:
        assert figure.baseline == figures["baseline"][figure.name]
        if figure.low is not None:
            assert figure.value is not None
            assert figure.high is not None
            assert figure.low <= figure.value <= figure.high
    assert [group.group for group in card.groups] == list(figures["groups"])
    assert sum(point.rows for point in card.reliability) == sum(card.drift_reference.score.counts) == figures["held_out"]["rows"]
    assert card.profit
    assert card.profit.expected_maximum
    assert card.profit.expected_maximum.model_dump() == figures["profit"]["expected_maximum"]
    marks = {mark.name: mark for mark in card.profit.marks}
    assert set(marks) == {"best", "stored"}
    highest = max(card.profit.points, key=lambda point: point.profit)
    assert highest.profit == next(point.profit for point in card.profit.points if point.threshold == marks["best"].threshold)
    assert highest.profit >= max(marks["best"].profit, marks["stored"].profit - 0.05)
    assert marks["stored"].threshold == card.threshold
    for feature in card.drift_reference.features:
        assert sum(feature.counts) + feature.missing == card.drift_reference.rows


def test_the_page_comes_from_the_json_alone() -> None:
    card = synthetic_card()
    assert page(Card.model_validate_json(card.model_dump_json())) == page(card)


def known_numbers(value: Any) -> Iterator[str]:
    """How every number in a document may be written, and the digits of its texts."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from re.findall(r"\d[\d.,]*\d|\d", name)
            yield from known_numbers(inner)
    elif isinstance(value, list):
        yield str(len(value))
        for inner in value:
            yield from known_numbers(inner)
    elif isinstance(value, str):
        yield from re.findall(r"\d[\d.,]*\d|\d", value)
        if re.match(r"\d{4}-\d\d-\d\dT", value):
            yield from re.findall(r"\d+", numbers.moment(value))
    elif isinstance(value, int | float) and not isinstance(value, bool):
        written = [numbers.probability, numbers.percent, numbers.share, numbers.factor, numbers.quantity, numbers.count, numbers.signed]
        for text in [writes(value) for writes in written] + [f"{value:,.2f}", f"{value:.4f}", numbers.short_count(int(value))]:
            yield from re.findall(r"\d[\d.,]*\d|\d", text)


def test_every_number_on_the_page_is_in_the_json() -> None:
    card = synthetic_card()
    known = {*known_numbers(card.model_dump(mode="json")), "1"}  # F1
    for text in Page(page(card)).shown():
        for number in re.findall(r"\d[\d.,]*\d|\d", text):
            assert number in known, (number, text)


def test_no_number_is_written_into_the_page() -> None:
    template = files("retainstream.engine.learning.card").joinpath("card.html.jinja").read_text("utf-8")
    spoken = re.sub(r"\{\{.*?\}\}|\{%.*?%\}|<[^>]*>", " ", template)
    assert not re.search(r"\d", spoken.replace("F1", "").replace("SHA-256", ""))


@pytest.mark.parametrize("which", ["synthetic", "plain", "hostile", "rejected"])
def test_the_page_is_whole_loads_nothing_and_runs_nothing(which: str) -> None:
    html = page(card_named(which))
    found = Page(html)
    assert html.lstrip().startswith("<!doctype html>")
    assert {tag for tag, _ in found.tags}.isdisjoint(
        {"script", "img", "link", "iframe", "object", "embed", "base", "form", "a", "image", "use"}
    )
    for tag, attributes in found.tags:
        assert not [name for name in attributes if name.startswith("on") or name in ("style", "src", "href", "srcset", "xlink:href")], tag
    assert "://" not in html.replace('xmlns="http://www.w3.org/2000/svg"', "")
    assert "url(" not in html
    assert "@import" not in html
    named = [str(attributes["id"]) for _, attributes in found.tags if "id" in attributes]
    assert len(named) == len(set(named))
    for _, attributes in found.tags:
        for name in ("aria-labelledby", "aria-describedby"):
            assert attributes.get(name, named[0]) in named


@pytest.mark.parametrize("which", ["synthetic", "plain", "hostile"])
def test_every_plot_is_xml_with_a_title_and_a_description(which: str) -> None:
    plots = re.findall(r"<svg .*?</svg>", page(card_named(which)), re.DOTALL)
    assert len(plots) >= 8
    space = "{http://www.w3.org/2000/svg}"
    for drawn in plots:
        root = ElementTree.fromstring(drawn)
        assert root.get("role") == "img"
        assert root.findtext(f"{space}title")
        assert len(root.findtext(f"{space}desc") or "") > 20
        assert not {name for element in root.iter() for name in element.keys()} & {"style", "fill", "stroke", "onload"}  # noqa: SIM118
        _, _, width, height = map(float, str(root.get("viewBox")).split())
        for element in root.iter():
            for name, most in (("x", width), ("y", height), ("x1", width), ("x2", width), ("cx", width), ("cy", height)):
                assert 0 <= float(element.get(name, 0)) <= most, ElementTree.tostring(element)


def card_named(which: str) -> Card:
    if which == "synthetic":
        return synthetic_card()
    if which == "rejected":
        difference = {"difference": -0.02, "standard_error": 0.004, "chance": 1e-6}
        comparison = {"rows": 600, "roc_auc": difference, "log_loss": difference}
        verdict = {**PASSED, "passed": False, "reasons": ["ROC AUC is low."], "champion": "older", "comparison": comparison}
        return assemble(made(synthetic_data(), verdict))
    return assemble(made(data_of(SCHEMAS[which])))


def schema(columns: list[dict[str, Any]], **changes: Any) -> FeatureSchema:
    document = {
        "name": "phones",
        "title": "Phone contracts",
        "id": {"column": "number"},
        "label": {"column": "left", "positive": True},
        "horizon_days": 60,
        "columns": columns,
        **changes,
    }
    return FeatureSchema.model_validate(document)


SCHEMAS = {
    "plain": schema(
        [
            {"name": "calls", "kind": "number", "label": "Calls", "missing": True},
            {"name": "paperless", "kind": "boolean", "label": "Paperless"},
            {"name": "since", "kind": "date", "label": "Since", "feature": False},
        ]
    ),
    "hostile": schema(
        [
            {
                "name": "plan",
                "kind": "category",
                "label": HOSTILE[:80],
                "meaning": HOSTILE,
                "unit": HOSTILE[:30],
                "levels": ["a", HOSTILE, "<b>", "c'd\""],
                "action": {"title": HOSTILE[:110]},
            },
            {"name": "price", "kind": "number", "label": "</svg><script>", "min": 0, "max": 20},
            {"name": "empty", "kind": "number", "label": "{% raw %}", "missing": True},
        ],
        title=HOSTILE[:80],
        label={"column": "left", "positive": True, "meaning": HOSTILE},
        group="plan",
        money={"price": "price", "offer_cost": 1, "save_rate": 0.3},
    ),
}


def test_text_of_the_schema_is_escaped() -> None:
    html = page(card_named("hostile"))
    assert "<script" not in html
    assert "<img" not in html
    assert "49" not in re.findall(r"&amp;amp;(\d+)", html)
    shown = " ".join(Page(html).shown())
    assert HOSTILE in shown
    assert HOSTILE[:80] in shown
    assert "</svg><script>" in shown
    assert "c'd\"" in shown


def test_a_business_without_groups_money_and_categories_gets_a_card() -> None:
    card = card_named("plain")
    assert (card.profit, card.group, [group.group for group in card.groups]) == (None, None, ["all"])
    assert card.synthetic is False
    assert all(figure.ceiling is None for figure in card.figures)
    shown = " ".join(Page(page(card)).shown())
    assert "synthetic" not in shown.lower()
    assert "Expected profit" not in shown
    assert "Phone contracts" in shown
    assert {column.name: column.used for column in card.columns} == {"calls": True, "paperless": True, "since": False}


def test_a_group_of_which_nobody_is_called_has_no_precision() -> None:
    left = made(synthetic_data())
    silent = {**left.figures["groups"]["premium"], "called": 0, "precision": 0.0}
    card = assemble(replace(left, figures={**left.figures, "groups": {**left.figures["groups"], "premium": silent}}))
    assert {group.group: group.precision is None for group in card.groups} == {"basic": False, "standard": False, "premium": True}


def test_why_the_model_was_taken_and_settings_of_any_kind_are_shown() -> None:
    left = made(synthetic_data())
    record = {
        **left.fitted["record"],
        "why": "Chosen: <the smaller>.",
        "trials": [{"depth": 2, "linear": None}, {"depth": 1, "linear": True}],
    }
    shown = list(Page(page(assemble(replace(left, fitted={**left.fitted, "record": record})))).shown())
    assert any("Chosen: <the smaller>." in text for text in shown)
    assert shown.count("True") == 1


def test_synthetic_is_said_wherever_figures_are_shown() -> None:
    html = page(synthetic_card())
    for heading in re.findall(r"<h2>(.*?)</h2>", html):
        if heading not in ("Intended use and limits", "Gate", "How the model was chosen"):
            assert heading.endswith("(synthetic)")
    assert "Every figure on this card is synthetic" in html
    assert any("say nothing about real customers" in sentence for sentence in synthetic_card().limits)


def test_a_partly_synthetic_card_says_partly() -> None:
    card = synthetic_card()
    partly = card.model_copy(update={"data": card.data.model_copy(update={"synthetic_share": 0.25})})
    assert "The figures on this card are partly synthetic: 25% of the customers" in page(partly)
    assert any("only partly about real customers" in sentence for sentence in limits(partly))


def test_a_rejected_version_says_why() -> None:
    shown = " ".join(Page(page(card_named("rejected"))).shown())
    assert "Rejected by the gate" in shown
    assert "ROC AUC is low." in shown
    assert "−0.0200" in shown


def test_a_doubt_about_the_figures_stands_above_them() -> None:
    card = synthetic_card()
    assert "nearly perfect" not in page(card)
    doubtful = card.model_copy(update={"gate": card.gate.model_copy(update={"doubts": ["A ROC AUC of 0.998 is nearly perfect."]})})
    shown = " ".join(Page(page(doubtful)).shown())
    assert shown.index("A ROC AUC of 0.998 is nearly perfect.") < shown.index("Stored threshold")


def test_the_policy_allows_the_pages_own_style_sheet_and_nothing_else() -> None:
    html = page(synthetic_card())
    sheets = re.findall(r"<style>(.*?)</style>", html, re.DOTALL)
    assert sheets == [style()]
    digest = base64.b64encode(hashlib.sha256(sheets[0].encode()).digest()).decode()
    assert policy() == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    stated = [attributes["content"] for tag, attributes in Page(html).tags if attributes.get("http-equiv") == "Content-Security-Policy"]
    assert stated == [policy()]


def luminance(colour: str) -> float:
    """Relative luminance by WCAG 2.2."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(first: str, second: str) -> float:
    light, dark = sorted((luminance(first), luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("palette", [0, 1], ids=["light", "dark"])
def test_colours_can_be_told_from_the_page(palette: int) -> None:
    block = re.findall(r":root \{(.*?)\}", style(), re.DOTALL)[palette]
    colours = dict(re.findall(r"--([a-z0-9-]+): (#[0-9a-f]{6})", block))
    for name in ("text", "muted"):
        assert min(contrast(colours[name], colours["page"]), contrast(colours[name], colours["panel"])) >= 4.5, name
    for front in ("good", "bad", "note"):
        assert contrast(colours[front], colours[f"{front}-back"]) >= 4.5
    lines = {"model", "baseline", "chance", "bar", "up", "down", "mixed", "stored", "confidence", "missing", "category"}
    for name in lines | {f"shade-{number}" for number in range(5)}:
        assert contrast(colours[name], colours["page"]) >= 3, name


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (numbers.with_interval(0.8524, 0.81, 0.8901), "0.852 [0.810–0.890]"),
        (numbers.with_interval(0.8524, None, None), "0.852"),
        (numbers.with_interval(None, None, None), "–"),
        (numbers.factor_with_interval(4.1, 3.5, 5.061), "4.10 [3.50–5.06]"),
        (numbers.percent(0.1416), "14.2%"),
        (numbers.percent(0.0001), "<0.1%"),
        (numbers.percent(0.0), "0.0%"),
        (numbers.share(0.2), "20%"),
        (numbers.count(1234567), "1,234,567"),
        (numbers.short_count(999), "999"),
        (numbers.short_count(1234), "1.2k"),
        (numbers.short_count(23_999), "24k"),
        (numbers.short_count(1_500_000), "1.5M"),
        (numbers.quantity(0), "0"),
        (numbers.quantity(7.99), "7.99"),
        (numbers.quantity(12345.678), "12,346"),
        (numbers.quantity(0.0125), "0.0125"),
        (numbers.quantity(3.178e-6), "0.0000032"),
        (numbers.quantity(3.178e-12), "3.2e-12"),
        (numbers.quantity(-1.6), "−1.6"),
        (numbers.money(-3.5, "EUR"), "−€3.50"),
        (numbers.signed(-0.0123), "−0.0123"),
        (numbers.moment("2026-11-21T10:39:14.166+01:00"), "2026-11-21 09:39 UTC"),
    ],
)
def test_numbers_are_written_for_people(written: str, expected: str) -> None:
    assert written == expected


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20))
def test_an_axis_holds_its_values_between_round_ends(values: list[float]) -> None:
    axis = round_axis(values, "")
    tolerance = 1e-6 * (axis.high - axis.low)
    assert axis.low - tolerance <= min(0, *values)
    assert max(0, *values) <= axis.high + tolerance
    assert 2 <= len(axis.ticks) <= 9
    assert len({axis.written(tick) for tick in axis.ticks}) == len(axis.ticks)


def test_long_labels_are_shortened_to_their_room() -> None:
    assert shortened("Plan", 100) == "Plan"
    assert shortened("x" * 80, 140).endswith("…")
    assert len(shortened("x" * 80, 140)) == 20


def test_the_default_schemas_columns_are_all_described() -> None:
    described = {column.name: column for column in synthetic_card().columns}
    assert set(described) == default_schema().names
    watch = described["watch_time_hours"]
    assert watch.missing_share
    assert 0 < watch.missing_share < 0.2
    assert watch.low is not None
    assert watch.median is not None
    assert watch.high is not None
    assert watch.low <= watch.median <= watch.high <= 744
    assert sum(described["plan"].shares.values()) == pytest.approx(1, abs=1e-5)
