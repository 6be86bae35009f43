"""Training, scoring, model versions and users by the command line, against a service with scripted answers."""

import json
from typing import Any

import pytest

from tests.integration.commands.conftest import Run, Service, problem

pytestmark = pytest.mark.usefixtures("session")

STARTED = "2026-01-01T00:00:00+00:00"
FIGURES = {"rows": 1200, "roc_auc": 0.8, "pr_auc": 0.5, "brier": 0.1, "log_loss": 0.3, "ece": 0.01}


def version(name: str, **changes: Any) -> dict[str, Any]:
    record = {"version": name, "status": "registered", "in_service": False, "synthetic": True, "metrics": FIGURES, "gate": {"reasons": []}}
    return {**record, **changes}


def status(model: str | None = "v2", previous: str | None = "v1") -> dict[str, Any]:
    known = version(model, in_service=True) if model else None
    return {"data": {"model": known, "promoted_at": STARTED, "promoted_by": "ann@example.com", "previous": previous, "history": []}}


def health(*advice: str, model: str = "ok") -> dict[str, Any]:
    state = "degraded" if advice else "ok"
    return {"data": {"status": state, "version": "1.2.3", "model": None, "dependencies": {"model": model}, "advice": advice}}


def training(**changes: Any) -> dict[str, Any]:
    run = {
        "run_id": "t1",
        "status": "RUNNING",
        "step": None,
        "planned_steps": ["train", "gate"],
        "steps": [],
        "reason": None,
        "result": None,
    }
    return {"data": {**run, **changes}}


def trained(*, promoted: bool, reasons: tuple[str, ...] = ()) -> dict[str, Any]:
    return training(status="SUCCEEDED", result={"version": "v3", "promoted": promoted, "reasons": reasons, "roc_auc": 0.8123})


def test_a_training_is_followed_step_by_step(run: Run, service: Service) -> None:
    steps = [{"name": "train", "status": "RUNNING"}]
    service.will((202, training()), (200, training(step="train", steps=steps)), (200, trained(promoted=True)))
    ended = run("train", "--watch")
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout == "Version v3: ROC AUC 0.812 on held-out customers\n"
    assert "training run: fitting the model" in ended.stderr
    assert "It is in service." in ended.stderr
    assert "idempotency-key" in service.requests[0][2]


def test_a_training_that_was_already_under_way_is_followed_and_named(run: Run, service: Service) -> None:
    service.will((202, training(already_running=True)), (200, trained(promoted=True)))
    ended = run("train", "--watch")
    assert (ended.returncode, ended.stdout) == (0, "Version v3: ROC AUC 0.812 on held-out customers\n")
    assert "A training run was already under way. No other was started." in ended.stderr
    service.will((202, training(already_running=True)))
    silent = run("train", "--json")
    assert (silent.returncode, silent.stderr) == (0, "")
    assert json.loads(silent.stdout)["already_running"] is True


def test_a_version_that_is_not_better_ends_with_3(run: Run, service: Service) -> None:
    service.will((200, trained(promoted=False, reasons=("It is worse than the one in service.",))))
    ended = run("train", "--run", "t1")
    assert ended.returncode == 3
    assert "not put into service: It is worse" in ended.stderr
    silent = run("train", "--run", "t1", "--json", "--watch")
    assert (silent.returncode, silent.stderr) == (3, "")
    assert json.loads(silent.stdout)["result"]["promoted"] is False


def test_a_training_that_is_left_alone(run: Run, service: Service) -> None:
    service.will((202, training()))
    ended = run("train")
    assert (ended.returncode, ended.stdout) == (0, "")
    assert "retainstream train --run t1 --watch" in ended.stderr
    service.will((200, training(status="FAILED", reason="Fewer than 200 customers have a known outcome.")))
    failed = run("train", "--run", "t1")
    assert failed.returncode == 1
    assert "error: The training run failed: Fewer than 200" in failed.stderr


def test_a_scoring_run_tells_whom_it_left_out(run: Run, service: Service) -> None:
    view = {
        "run_id": "s1",
        "status": "SUCCEEDED",
        "step": "verify",
        "steps": [],
        "counts": {"read": 100, "scored": 90, "churned": 7, "refused": 3},
        "result": {"model_version": "v2", "high_risk": 12, "predicted_churners": 20.4},
    }
    service.will((202, {"data": {**view, "status": "RUNNING", "counts": None, "result": None}}), (200, {"data": view}))
    ended = run("score", "--watch")
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines() == ["90 customers scored by v2, 12 at high risk or above", "Expected to leave: 20"]
    assert "3 customers could not be scored" in ended.stderr
    assert json.loads(service.bodies[0]) == {"all": True}


def test_no_model_to_score_with(run: Run, service: Service) -> None:
    service.will((503, problem("no-model", 503, "No model is in service yet", detail="Train one."), {"Retry-After": "60"}))
    ended = run("score")
    assert ended.returncode == 5
    assert "No model is in service yet: Train one. Try again in 60 seconds." in ended.stderr


def test_how_the_deployment_is(run: Run, service: Service) -> None:
    service.will((200, health()), (200, status()))
    ended = run("status")
    assert ended.returncode == 0, ended.stderr
    for words in ("RetainStream 1.2.3", ": ok", "model: v2, in service since", "0.800 on 1,200 held-out customers, synthetic", "v1"):
        assert words in ended.stdout
    assert service.requests[0][1] == "/api/health/details"
    service.will((200, health("No model is in service yet.", model="none")), (200, status(None, None)))
    without = run("status")
    assert without.returncode == 3
    assert "model: none in service" in without.stdout
    assert "No model is in service yet." in without.stderr
    assert "retainstream train --watch" in without.stderr


def test_status_for_scripts(run: Run, service: Service) -> None:
    service.will((200, health()), (200, status()))
    document = json.loads(run("status", "--json").stdout)
    assert (document["health"]["status"], document["model"]["version"], document["url"]) == ("ok", "v2", service.url)


def test_versions_side_by_side(run: Run, service: Service) -> None:
    rejected = version("v3", status="rejected", gate={"reasons": ["It is worse."]}, synthetic=False)
    service.will((200, {"data": [rejected, version("v2", in_service=True)], "page": {"next": None}}))
    ended = run("versions")
    assert ended.returncode == 0, ended.stderr
    lines = ended.stdout.splitlines()
    assert any("v3" in line and "rejected" in line and "It is worse." in line for line in lines)
    assert any("v2" in line and "in service" in line and "synthetic" in line for line in lines)


def test_nothing_is_promoted_without_a_yes(run: Run, service: Service) -> None:
    service.will((200, status()))
    for command in (("promote", "v1"), ("rollback",)):
        ended = run(*command, stdin="y\n")
        assert ended.returncode == 2, "nobody can be asked"
        assert "--yes" in ended.stderr
    assert {method for method, _, _ in service.requests} == {"GET"}


def test_promoting_and_rolling_back(run: Run, service: Service) -> None:
    service.will((200, status()), (200, status("v/1", "v2")))
    ended = run("promote", "v/1", "--yes")
    assert ended.returncode == 0, ended.stderr
    assert service.requests[-1][:2] == ("POST", "/api/model/versions/v%2F1/promote")
    assert "retainstream score --watch" in ended.stderr
    service.will((200, status()), (200, status("v1", "v2")))
    back = run("rollback", "--yes", "--json")
    assert back.returncode == 0, back.stderr
    assert json.loads(back.stdout)["model"]["version"] == "v1"
    service.will((200, status("v1", None)))
    nothing = run("rollback", "--yes")
    assert nothing.returncode == 1
    assert "retainstream versions" in nothing.stderr


def test_a_rollback_whose_answer_is_lost_is_asked_for_again_under_its_key(run: Run, service: Service) -> None:
    service.will((200, status()), (0, ""), (200, status()))
    ended = run("rollback", "--yes")
    assert ended.returncode == 0, ended.stderr
    assert [method for method, _, _ in service.requests] == ["GET", "POST", "POST"]
    first, second = (headers["idempotency-key"] for method, _, headers in service.requests if method == "POST")
    assert first == second


def test_drift_in_words_and_figures(run: Run, service: Service) -> None:
    score = {"label": "Churn probability", "psi": 0.01, "noise": 0.02, "level": "none", "told": None}
    moved = {"label": "Last login", "psi": 0.31, "noise": 0.02, "level": "strong", "told": "more of 30 or more"}
    report = {"customers": 900, "at": STARTED, "synthetic": True, "level": "strong", "score": score, "features": [moved]}
    service.will((200, {"data": {"state": "known", "told": "1 of 8 features has drifted: Last login.", "report": report}}))
    ended = run("drift")
    assert ended.returncode == 0, ended.stderr
    for words in ("1 of 8 features has drifted", "0.310", "strong", "more of 30 or more"):
        assert words in ended.stdout
    assert "synthetic" in ended.stderr
    assert run("drift", "--strict", "--json").returncode == 3
    service.will((200, {"data": {"state": "no-model", "told": "No model is in service yet.", "report": None}}))
    nothing = run("drift", "--strict")
    assert (nothing.returncode, nothing.stdout) == (0, "No model is in service yet.\n")


def test_performance_as_far_as_it_is_known(run: Run, service: Service) -> None:
    held_out = {"customers": 1200, "model_version": "v2", "synthetic": True, "basis": "Measured at training.", "metrics": FIGURES}
    realised = {"customers": 40, "churn_rate": 0.25, "roc_auc": None, "brier": 0.2, "basis": "Measured on outcomes.", "synthetic": False}
    by_period: dict[str, Any] = {"by_period": [], "next_judged_on": "2026-12-31", "first_judged_on": None}
    service.will((200, {"data": {"held_out": held_out, "realised": realised, "estimate": None, **by_period}}))
    ended = run("performance")
    assert ended.returncode == 0, ended.stderr
    for words in ("Model v2", "1,200", "0.8000", "40", "0.2500"):
        assert words in ended.stdout
    assert "at training: Measured at training. Synthetic." in ended.stderr
    assert "realised: Measured on outcomes.\n" in ended.stderr
    assert "estimated: not available yet" in ended.stderr
    assert "by month: the first month can be judged when outcomes through 2026-12-31 are known" in ended.stderr
    assert "None" not in ended.stdout


def test_performance_by_month_puts_promised_beside_realised(run: Run, service: Service) -> None:
    interval = {"low": 0.78, "high": 0.86}
    realised = {"roc_auc": 0.701, "roc_auc_interval": {"low": 0.65, "high": 0.75}, "log_loss": 0.4, "expected": 52.4, "observed": 61}
    realised["at_threshold"] = {"threshold": 0.3, "called": 1240, "left": 40, "precision": 0.0323, "recall": 0.6557}
    promised = {"roc_auc": 0.82, "roc_auc_interval": interval, "log_loss": 0.31}
    judged = {"period": "2026-09", "model_version": "v2", "rows": 1500, "promised": promised, "estimated": {"roc_auc": 0.81}}
    waiting = {**judged, "period": "2026-10", "promised": None, "realised": None, "kept_promise": None}
    by_period = [{**judged, "realised": realised, "kept_promise": False}, waiting]
    held_out = {"customers": 1200, "model_version": "v2", "synthetic": False, "basis": "Measured.", "metrics": FIGURES}
    answer = {"held_out": held_out, "realised": None, "estimate": None, "by_period": by_period, "next_judged_on": "2026-11-30"}
    answer["first_judged_on"] = "2026-12-05"
    service.will((200, {"data": answer}))
    ended = run("performance")
    assert ended.returncode == 0, ended.stderr
    [september] = [line for line in ended.stdout.splitlines() if "2026-09" in line]
    cells = [cell.strip() for cell in september.strip("│").split("│")]
    assert cells == ["2026-09", "v2", "1,500", "0.820", "0.810", "0.701", "0.400", "61", "52", "1,240", "0.032", "0.656", "not kept"]
    assert ended.stdout.index("2026-10") < ended.stdout.index("2026-09")
    assert "the next month can be judged when outcomes through 2026-11-30 are known" in ended.stderr
    assert "realised: not available yet. The outcome of a prediction is known when its horizon has ended: version v2 can be" in ended.stderr
    assert "judged when outcomes through 2026-12-05 are known" in ended.stderr
    assert "None" not in ended.stdout


METRICS = {
    "customers": {"total": 5200, "active": 5000, "churned": 200, "scored": 4990},
    "predicted_churners": {
        "count": 321,
        "expected": 250.4,
        "expected_interval": {"low": 221.2, "high": 282.9},
        "horizon_days": 30,
        "threshold": 0.3,
        "level_meanings": {
            "medium": "From 5.0%: above the average.",
            "high": "From 30.0%: an offer is expected to pay.",
            "critical": "From 60%.",
        },
    },
    "revenue_at_risk": {"currency": "USD", "months": 12, "total": 28426.5},
    "churn_rate": {"rate": 0.021, "left": 105, "active_at_start": 5000, "unknown": 0, "period": "2026-10", "starts_on": "2026-10-01"},
    "churn_by_month": [
        {"month": "2026-09", "rate": None, "left": 3, "active_at_start": 4990, "unknown": 800},
        {"month": "2026-10", "rate": 0.021, "left": 105, "active_at_start": 5000, "unknown": 0},
    ],
}


def test_the_headline_figures_name_the_month_of_the_churn_rate(run: Run, service: Service) -> None:
    service.will((200, {"data": METRICS}), (200, {"data": METRICS}))
    ended = run("metrics")
    assert ended.returncode == 0, ended.stderr
    for line in (
        "customers: 5,000 active, 4,990 of them scored; 200 have left",
        "expected churners within 30 days: 250 (95% interval 221 to 283); 321 customers at high risk or above",
        "high risk: from 30.0%: an offer is expected to pay",
        "revenue at risk: $28,426.50 over 12 months",
        "churn rate: October 2026: 2.1%, 105 of 5,000 customers who were active on 1 October left",
    ):
        assert line in ended.stdout
    assert "2.1%" in ended.stdout
    assert "a tenth of those who left" in ended.stderr
    assert json.loads(run("metrics", "--json").stdout) == METRICS


def test_without_a_rate_or_a_model_the_headline_figures_say_so(run: Run, service: Service) -> None:
    nothing: dict[str, Any] = {"count": 0, "expected": 0.0, "expected_interval": None, "horizon_days": None}
    nothing |= {"threshold": None, "level_meanings": None}
    service.will(
        (200, {"data": METRICS | {"predicted_churners": nothing, "revenue_at_risk": None, "churn_rate": None, "churn_by_month": []}})
    )
    ended = run("metrics")
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines()[1:] == ["churn rate: not known yet for any month that is over"]
    assert ended.stderr == ""


PERSON = {"email": "bob@example.com", "name": "Bob", "role": "analyst", "status": "active", "created_at": STARTED}


def test_an_account_for_somebody_else(run: Run, service: Service) -> None:
    service.will((201, {"data": PERSON}))
    ended = run("users", "add", "Bob@Example.com", "--role", "analyst", "--name", "Bob", stdin="a-first-password\n")
    assert ended.returncode == 0, ended.stderr
    assert json.loads(service.bodies[0]) == {"email": "Bob@Example.com", "role": "analyst", "name": "Bob", "password": "a-first-password"}
    assert "a-first-password" not in ended.stdout + ended.stderr
    by_variable = run("users", "add", "bob@example.com", "--json", RETAINSTREAM_NEW_PASSWORD="another-password")
    assert json.loads(by_variable.stdout)["email"] == "bob@example.com"
    assert json.loads(service.bodies[1]) == {"email": "bob@example.com", "role": "viewer", "password": "another-password"}


@pytest.mark.parametrize(
    "arguments",
    [
        ("add", "bob@example.com"),
        ("add", "bob@example.com", "--password", "x"),
        ("add", "bob@example.com", "--role", "owner"),
        ("change", "bob@example.com"),
        ("change", "bob@example.com", "--status", "away"),
    ],
)
def test_users_are_not_changed_by_what_is_wrong(run: Run, service: Service, arguments: tuple[str, ...]) -> None:
    assert run("users", *arguments).returncode == 2
    assert service.requests == []


def test_everybody_and_a_change(run: Run, service: Service) -> None:
    service.will((200, {"data": [PERSON], "page": {"next": "x"}}), (200, {"data": [{**PERSON, "email": "eve@example.com"}], "page": {}}))
    ended = run("users", "list")
    assert ended.returncode == 0, ended.stderr
    assert "bob@example.com" in ended.stdout
    assert "eve@example.com" in ended.stdout
    service.will((200, {"data": {**PERSON, "status": "disabled"}}))
    changed = run("users", "change", "bob@example.com", "--status", "disabled")
    assert changed.returncode == 0, changed.stderr
    assert changed.stderr == "bob@example.com is now: analyst, disabled\n"
    assert json.loads(service.bodies[-1]) == {"email": "bob@example.com", "status": "disabled"}


def test_the_last_administrator_stays(run: Run, service: Service) -> None:
    service.will((409, problem("conflict", 409, "That cannot be", detail="The last active administrator must stay.")))
    ended = run("users", "change", "ann@example.com", "--role", "viewer")
    assert ended.returncode == 1
    assert "The last active administrator must stay." in ended.stderr


def test_who_i_am(run: Run, service: Service) -> None:
    service.will((200, {"data": {"email": "ann@example.com", "role": "admin", "token_expires_at": STARTED}}))
    assert run("whoami").stdout == f"ann@example.com (admin) at {service.url} until {STARTED}\n"
    service.will((401, problem("unauthenticated", 401, "Sign in first")))
    assert run("whoami", "--json").returncode == 4
