"""The dashboard's files beside the API, with the headers of the template."""

from collections.abc import Iterator

import httpx
import pytest

from local.stack import LocalStack

FRONT = "<!doctype html><title>front</title>"


@pytest.fixture(scope="module")
def http(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    built = tmp_path_factory.mktemp("dist")
    (built / "index.html").write_text(FRONT)
    (built / "icon.svg").write_text("<svg/>")
    (built / "assets").mkdir()
    (built / "assets" / "index-1a2b.js").write_text("export {}")
    (built.parent / "secret.txt").write_text("not a page")
    with LocalStack(pages=built) as stack, httpx.Client(base_url=stack.url) as client:
        yield client


@pytest.mark.parametrize(
    "path", ["/", "/at-risk", "/customers/s0000001", "/customers/jane.doe@example.com", "/customers/4.711", "/explorer", "/index.html"]
)
def test_every_path_of_the_dashboard_is_its_front_page_and_is_asked_for_again(http: httpx.Client, path: str) -> None:
    answer = http.get(path)
    assert (answer.status_code, answer.text) == (200, FRONT)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"


def test_files_with_a_digest_in_their_name_are_kept(http: httpx.Client) -> None:
    answer = http.get("/assets/index-1a2b.js")
    assert answer.text == "export {}"
    assert "immutable" in answer.headers["cache-control"]
    assert "javascript" in answer.headers["content-type"]
    assert http.get("/icon.svg").headers["cache-control"] == "no-cache"


def test_pages_run_their_own_scripts_only_and_speak_to_the_api_and_the_bucket(http: httpx.Client) -> None:
    headers = http.get("/").headers
    policy = dict(directive.split(" ", 1) for directive in headers["content-security-policy"].split("; "))
    assert policy["script-src"] == "'self'"
    assert policy["default-src"] == policy["frame-ancestors"] == "'none'"
    own, local_bucket, cloud_bucket = policy["connect-src"].split()
    assert own == "'self'"
    assert local_bucket.startswith("http://127.0.0.1:")
    assert cloud_bucket.startswith("https://")
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"


@pytest.mark.parametrize("path", ["/assets/gone.js", "/../secret.txt", "/%2e%2e/secret.txt", "/assets/..%2f..%2fsecret.txt", "/robots.txt"])
def test_a_file_that_is_not_there_is_not_found(http: httpx.Client, path: str) -> None:
    answer = http.get(path)
    assert answer.status_code == 404
    assert "not a page" not in answer.text


def test_the_api_stays_the_apis(http: httpx.Client) -> None:
    assert http.get("/api/health").json()["data"]["status"] == "degraded"
    assert http.get("/api/health/details").status_code == 401
    assert http.get("/api/nowhere").status_code == 404
    assert http.get("/api/docs").headers["content-type"].startswith("text/html")
    assert http.post("/at-risk").status_code == 404
