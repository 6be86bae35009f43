"""The list of what the emulator cannot do stays true: it names all that the template has of each kind, and nothing else."""

from samtranslator.yaml_helper import yaml_parse

from tests.deploy.conftest import BUILT
from tests.deploy.emulated import ALARMS_LEFT_OUT, authorizer, metric_math, routes, with_shifts


def test_the_alarms_left_out_are_those_that_compute_with_several_metrics() -> None:
    assert metric_math(yaml_parse(BUILT.read_text())) == set(ALARMS_LEFT_OUT)


def test_shifts_of_aliases_are_left_out_where_there_are_some() -> None:
    assert with_shifts(yaml_parse(BUILT.read_text()))


def test_the_definitions_of_state_machines_are_yaml() -> None:
    resources = yaml_parse(BUILT.read_text())["Resources"].values()
    assert {part["Properties"]["DefinitionUri"].rsplit(".", 1)[1] for part in resources if "DefinitionUri" in part["Properties"]} == {
        "yaml"
    }


def test_the_routes_come_from_an_openapi_document_with_one_authorizer() -> None:
    assert {route.authorized for route in routes()} == {True, False}
    assert authorizer()["type"] == "request"
