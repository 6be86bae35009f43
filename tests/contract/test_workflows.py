"""What runs on GitHub: nothing that can be exchanged behind our back, no keys, and credentials for the one environment alone."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from samtranslator.yaml_helper import yaml_parse

from cli.page_headers import cache_control, content_type

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))


def workflow(name: str) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((ROOT / f".github/workflows/{name}.yml").read_text())
    return document


@pytest.fixture
def role() -> dict[str, Any]:
    document: dict[str, Any] = yaml_parse((ROOT / ".github/deploy-role.yaml").read_text())
    return document


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_actions_are_pinned_by_commit_and_say_their_version(path: Path) -> None:
    used = re.findall(r"uses: (.+)", path.read_text())
    assert used
    assert not [one for one in used if not re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", one)]


def test_the_same_action_is_the_same_everywhere() -> None:
    pins = {one for path in WORKFLOWS for one in re.findall(r"uses: (\S+)", path.read_text())}
    assert len(pins) == len({pin.split("@")[0] for pin in pins})


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_there_are_no_keys(path: Path) -> None:
    text = path.read_text().lower()
    assert "secrets." not in text
    assert not re.search(r"access.?key", text)


def test_only_the_deployment_may_ask_for_a_token_and_only_in_its_environment() -> None:
    assert workflow("ci")["permissions"] == {"contents": "read"}
    deploy = workflow("deploy")
    assert deploy["permissions"] == {}
    assert {name: job["permissions"] for name, job in deploy["jobs"].items()} == {
        "tested": {"actions": "read"},
        "build": {"contents": "read"},
        "deploy": {"id-token": "write"},
    }
    assert {name: job.get("environment") for name, job in deploy["jobs"].items()} == {"tested": None, "build": None, "deploy": "production"}
    assert deploy["concurrency"]["cancel-in-progress"] is False


def steps(job: str) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = workflow("deploy")["jobs"][job]["steps"]
    return listed


def commands(job: str) -> set[str]:
    """The first words of all commands of a job's steps."""
    lines = "\n".join(step.get("run", "") for step in steps(job)).replace("\\\n", " ")
    lines = re.sub(r"'[^']*'|\$\(([^()]*)\)", lambda match: f"\n{match[1]}\n" if match[1] else "text", lines)
    words = (re.split(r"\s+", part.strip()) for part in re.split(r"\n|&&|\|\||[|;]|\bthen\b|\bif\b", lines))
    return {first for first, *_ in words if re.fullmatch(r"[.\w/-]+", first)}


def test_it_is_tested_and_built_before_there_are_credentials_and_asked_after() -> None:
    deploy = workflow("deploy")["jobs"]
    assert (deploy["build"]["needs"], deploy["deploy"]["needs"]) == ("tested", "build")
    assert "Check and build" in [step.get("name") for step in steps("build")]
    names = [step.get("name") or step["uses"].split("@")[0].split("/")[1] for step in steps("deploy")]
    order = [
        "download-artifact",
        "configure-aws-credentials",
        "Ask for its status before",
        "Deploy",
        "See that it answers",
        "Publish the dashboard",
    ]
    assert [step for step in names if step in order] == order


def test_it_deploys_only_a_commit_that_ci_has_passed() -> None:
    tested = workflow("deploy")["jobs"]["tested"]
    asked = tested["env"]["RUNS"]
    assert "/actions/workflows/ci.yml/runs?" in asked
    assert {"head_sha=${{ github.sha }}", "event=push", "status=success"} <= set(asked.partition("?")[2].split("&"))
    [check] = [step["run"] for step in steps("tested") if "gh api" in step["run"]]
    assert "exit 1" in check
    assert "\n  push:\n    branches: [main]\n" in (ROOT / ".github/workflows/ci.yml").read_text()


def test_the_job_with_the_token_runs_nothing_of_the_project() -> None:
    """Neither its code nor its packages: no clone, and no command but those of the runner."""
    used = {step["uses"].split("@")[0] for step in steps("deploy") if "uses" in step}
    assert used == {"actions/download-artifact", "aws-actions/configure-aws-credentials"}
    assert commands("deploy") - {"fi", "true"} == {"sam", "aws", "curl", "jq", "tee", "tar", "echo"}
    assert {"make"} <= commands("build")


def test_the_dashboard_is_published_like_the_command_does() -> None:
    [publish] = [step["run"].splitlines() for step in steps("deploy") if step.get("name", "").startswith("Publish")]
    assets, others, front, invalidation = publish
    assert f'"{cache_control("assets/main.js")}"' in assets
    assert all(f"--cache-control {cache_control('index.html')} " in line for line in (others, front))
    assert f'--content-type "{content_type("index.html")}"' in front
    assert '--exclude "assets/*" --exclude index.html' in others
    assert invalidation.endswith("--paths / /index.html")


def test_no_text_of_strangers_becomes_a_command() -> None:
    for path in WORKFLOWS:
        for job in workflow(path.stem)["jobs"].values():
            assert not [step for step in job["steps"] if "${{" in step.get("run", "")], path.name


def test_the_role_trusts_one_environment_of_one_repository(role: dict[str, Any]) -> None:
    [statement] = role["Resources"]["Deployer"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Action"] == "sts:AssumeRoleWithWebIdentity"
    claims = {key.rpartition(":")[2]: value for key, value in statement["Condition"]["StringEquals"].items()}
    assert statement["Condition"].keys() == {"StringEquals"}
    assert claims == {"aud": "sts.amazonaws.com", "sub": {"Fn::Sub": "repo:${Repository}:environment:${Environment}"}}
    assert role["Parameters"]["Environment"]["Default"] == workflow("deploy")["jobs"]["deploy"]["environment"]
    for parameter in ("Repository", "Environment", "StackName"):
        assert not re.fullmatch(role["Parameters"][parameter]["AllowedPattern"], "*"), parameter


def test_the_deployer_makes_nothing_itself(role: dict[str, Any]) -> None:
    [policy] = role["Resources"]["Deployer"]["Properties"]["Policies"]
    actions = {action: statement for statement in policy["PolicyDocument"]["Statement"] for action in statement["Action"]}
    assert not [action for action in actions if "*" in action]
    assert {action.split(":")[0] for action in actions} == {"cloudformation", "cloudfront", "iam", "s3"}
    assert actions["iam:PassRole"]["Resource"] == {"Fn::GetAtt": ["Builder", "Arn"]}
    [trust] = role["Resources"]["Builder"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "cloudformation.amazonaws.com"}


def test_the_variables_that_the_workflow_reads_are_documented(role: dict[str, Any]) -> None:
    read = set(re.findall(r"vars\.(\w+)", (ROOT / ".github/workflows/deploy.yml").read_text()))
    section = (ROOT / "docs/deploy.md").read_text().split("## From GitHub")[1].split("\n## ")[0]
    documented = section.split("| variable | |")[1].split("\n\n")[0]
    assert read == set(re.findall(r"`([A-Z]+(?:_[A-Z]+)*)`", documented))
    described = " ".join(output["Description"] for output in role["Outputs"].values())
    assert set(re.findall(r"variable ([A-Z_]+)", described)) == read & {
        "AWS_ROLE_ARN",
        "BUILDER_ROLE_ARN",
        "ARTIFACTS_BUCKET",
        "ROLES_BOUNDARY_ARN",
    }
