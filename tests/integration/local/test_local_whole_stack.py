"""The real template with the real functions, in a process of its own."""

import resource
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

BOLD_ROUTES = [
    "dashboard/metrics",
    "dashboard/distribution",
    "dashboard/features",
    "customers/high-risk?page=1&limit=10",
    "predictions/results",
    "predictions/performance",
    "model/status",
    "model/features",
]


def data(answer: httpx.Response) -> Any:
    assert answer.is_success, answer.text
    return answer.json()["data"]


def settled(client: httpx.Client, want: int) -> dict[str, Any]:
    """The customers counted, once the counters have seen so many, or when they do not for long."""
    for _ in range(100):
        counted: dict[str, Any] = data(client.get("/api/dashboard/metrics"))["customers"]
        if counted["total"] == want:
            break
        time.sleep(0.1)
    return counted


def test_every_read_answers(stack: Any) -> None:
    with stack.client() as client:
        for route in BOLD_ROUTES:
            assert client.get(f"/api/{route}").status_code == 200, route
    assert httpx.get(f"{stack.url}/api/health").json()["data"]["status"] == "ok"
    assert httpx.get(stack.url, follow_redirects=True).headers["content-type"].startswith("text/html")


def test_health_is_degraded_while_nothing_can_be_saved(stack: Any) -> None:
    def advice(client: httpx.Client, status: str) -> list[str]:
        for _ in range(300):
            health = data(client.get("/api/health/details"))
            if health["status"] == status:
                break
            time.sleep(0.2)
        assert health["status"] == status, health
        sentences: list[str] = health["advice"]
        return sentences

    before = resource.prlimit(stack.process.pid, resource.RLIMIT_FSIZE)
    with stack.client() as client:
        assert advice(client, "ok") == []
        resource.prlimit(stack.process.pid, resource.RLIMIT_FSIZE, (0, before[1]))
        try:
            [sentence] = advice(client, "degraded")
            assert sentence.startswith("The state of the local stack cannot be saved: ")
            assert sentence.endswith("Changes that are not saved are lost when it stops.")
            assert data(httpx.get(f"{stack.url}/api/health"))["status"] == "degraded"
        finally:
            resource.prlimit(stack.process.pid, resource.RLIMIT_FSIZE, before)
        assert advice(client, "ok") == []


def test_cors_is_the_templates(stack: Any) -> None:
    asked = {"Origin": "http://localhost:5173", "Access-Control-Request-Method": "PUT"}
    answer = httpx.options(f"{stack.url}/api/customers/x", headers=asked)
    assert answer.headers["access-control-allow-origin"] == "http://localhost:5173"
    assert "PUT" in answer.headers["access-control-allow-methods"]


def test_the_pages_may_upload_from_where_they_are_served(stack: Any) -> None:
    with stack.client() as client:
        started = data(client.post("/api/customers/imports", json={"file_name": "may.csv", "size": 10}))
    upload = started["upload"]["parts"][0]["url"]
    port = httpx.URL(stack.url).port
    own = {f"http://{host}:{own_port}": True for host in ("localhost", "127.0.0.1") for own_port in (port, 5173)}
    for origin, allowed in {**own, "http://localhost:1": False, "https://d111.cloudfront.net": False}.items():
        answer = httpx.options(upload, headers={"Origin": origin, "Access-Control-Request-Method": "PUT"})
        assert (answer.is_success and answer.headers.get("access-control-allow-origin") == origin) == allowed, origin


def test_users_at_the_same_time_never_see_each_others_data(stack: Any) -> None:
    password = "an unrelated few words 77"
    users = [f"user-{number}@example.com" for number in range(10)]
    with stack.client() as admin:
        for user in users:
            assert httpx.post(f"{stack.url}/api/auth/register", json={"email": user, "password": password}, timeout=30).status_code == 201
            assert admin.patch("/api/auth/users", json={"email": user, "role": "analyst"}).is_success
    tokens = []
    for user in users:
        with stack.client(user, password) as signed_in:
            tokens.append(signed_in.headers["authorization"])
    threads = threading.local()

    def ask(number: int) -> None:
        if not hasattr(threads, "client"):  # a client of its own: httpx may close a connection that another thread has just been given
            threads.client = httpx.Client(base_url=stack.url, timeout=60)
        who = number % len(users)
        client: httpx.Client = threads.client
        client.headers["authorization"] = tokens[who]
        customer = f"own-{who}"
        match number % 5:
            case 0:
                assert data(client.get("/api/auth/me"))["email"] == users[who]
            case 1:
                features = {"plan": "basic", "watch_time_hours": 1.0 + number, "subscription_age_months": who, "device_count": 1}
                more = {"last_login_days": 3, "payment_failures": 0, "tenure_months": who, "monthly_price": 9.99}
                assert client.put(f"/api/customers/{customer}", json={"features": {**features, **more}}).is_success
            case 2:
                answer = client.get(f"/api/customers/{customer}")
                assert answer.status_code == 404 or answer.json()["data"]["features"]["tenure_months"] == who
            case 3:
                assert data(client.get(f"/api/customers/s000000{who}"))["customer_id"] == f"s000000{who}"
            case 4:
                page = client.get(f"/api/customers/high-risk?page=1&limit={who + 1}").json()
                assert len(page["data"]) == who + 1

    with ThreadPoolExecutor(24) as pool:
        assert len(list(pool.map(ask, range(600)))) == 600


def test_a_kill_keeps_customers_users_tokens_models_and_counters(own_stack: Any) -> None:
    features = {"plan": "premium", "watch_time_hours": 12.5, "subscription_age_months": 4, "device_count": 2, "last_login_days": 1}
    features |= {"payment_failures": 1, "tenure_months": 4, "monthly_price": 18.99}
    with own_stack.client() as client:
        assert client.put("/api/customers/kept-1", json={"features": features}).is_success
        before = settled(client, 401)
        model = data(client.get("/api/model/status"))["model"]["version"]
        token = client.headers["authorization"]
    time.sleep(2.5)
    own_stack.end(signal.SIGKILL)
    own_stack.start()
    with httpx.Client(base_url=own_stack.url, headers={"Authorization": token}, timeout=30) as client:
        assert data(client.get("/api/customers/kept-1"))["features"] == features
        assert settled(client, 401) == before
        assert data(client.get("/api/model/status"))["model"]["version"] == model
        assert client.get("/api/customers/high-risk?page=1&limit=5").json()["data"]


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b'{"email": NaN}'])
def test_bodies_that_are_nothing_get_a_problem_document(stack: Any, body: bytes) -> None:
    answer = httpx.post(f"{stack.url}/api/auth/login", content=body, headers={"Content-Type": "application/json"})
    assert 400 <= answer.status_code < 500
    assert answer.headers["content-type"] == "application/problem+json"
