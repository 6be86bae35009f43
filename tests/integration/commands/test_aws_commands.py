"""The commands that need AWS credentials: the first administrator, and the dashboard's pages."""

import json
from pathlib import Path
from typing import Any

import boto3
import pytest

from retainstream.accounts import passwords
from retainstream.roles import Role
from retainstream.storage.table import Table
from retainstream.storage.users import AdministratorExists, User, Users
from tests.integration.commands.conftest import Run, RunHere, Service

EMAIL, PASSWORD = "Ops@Example.com", "correct-horse-battery"
TABLE = {
    "Type": "AWS::DynamoDB::Table",
    "Properties": {
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": [{"AttributeName": "email", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "email", "AttributeType": "S"}],
    },
}
PAGES = {"Type": "AWS::S3::Bucket", "Properties": {}}


def deploy(name: str, resources: dict[str, Any], outputs: dict[str, Any]) -> dict[str, str]:
    """A stack of CloudFormation, and its outputs."""
    template = {"Resources": resources, "Outputs": {key: {"Value": value} for key, value in outputs.items()}}
    cloudformation = boto3.client("cloudformation")
    cloudformation.create_stack(StackName=name, TemplateBody=json.dumps(template))
    stack = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", ())}


@pytest.fixture
def users(aws: None) -> Users:
    """The users of a stack named shop."""
    outputs = deploy("shop", {"Users": TABLE}, {"UsersTableName": {"Ref": "Users"}, "ApiUrl": "https://api.example"})
    return Users(Table(outputs["UsersTableName"], ("email",), boto3.client("dynamodb")))


def test_the_first_administrator_can_sign_in(run_here: RunHere, users: Users) -> None:
    ended = run_here("bootstrap-admin", "--stack", "shop", "--email", EMAIL, "--name", "Ann Lee", stdin=f"{PASSWORD}\n")
    assert ended.returncode == 0, ended.stderr
    user = users.get("ops@example.com")
    assert user is not None
    assert (user.role, user.name, user.status) == (Role.ADMIN, "Ann Lee", "active")
    assert user.password_hash.startswith("$argon2id$")
    assert passwords.matches(user.password_hash, PASSWORD)
    assert "retainstream login --url https://api.example --email ops@example.com" in ended.stderr
    assert PASSWORD not in ended.stdout + ended.stderr
    assert user.password_hash not in ended.stdout + ended.stderr


def test_there_is_a_first_one_only_once(run_here: RunHere, users: Users) -> None:
    assert run_here("bootstrap-admin", "--stack", "shop", "--email", EMAIL, stdin=PASSWORD).returncode == 0
    again = run_here("bootstrap-admin", "--stack", "shop", "--email", "eve@example.com", stdin="never-asked-for-it")
    assert again.returncode == 1
    assert "already has an administrator" in again.stderr
    assert users.get("eve@example.com") is None

    forced = run_here("bootstrap-admin", "--stack", "shop", "--email", "eve@example.com", "--force", "--json", stdin=PASSWORD)
    assert forced.returncode == 0, forced.stderr
    assert json.loads(forced.stdout) == {"email": "eve@example.com", "role": "admin", "table": users._table.name}
    taken = run_here("bootstrap-admin", "--stack", "shop", "--email", EMAIL, "--force", stdin="another-fine-pass-phrase")
    assert taken.returncode == 1
    assert "ops@example.com already has an account" in taken.stderr
    kept = users.get("ops@example.com")
    assert kept is not None
    assert passwords.matches(kept.password_hash, PASSWORD), "nobody's password is changed by a second administrator"


def test_of_two_at_the_same_moment_one_is_first(users: Users) -> None:
    ann, eve = (User(f"{name}@example.com", name, Role.ADMIN, "hash", "2026-01-01T00:00:00+00:00") for name in ("ann", "eve"))
    users.add_first_administrator(ann)
    with pytest.raises(AdministratorExists):
        users.add_first_administrator(eve)
    assert users.get("eve@example.com") is None


def test_a_viewer_is_no_administrator(run_here: RunHere, users: Users) -> None:
    users.add(User("ann@example.com", "Ann", Role.VIEWER, "hash", "2026-01-01T00:00:00+00:00"))
    assert run_here("bootstrap-admin", "--table", users._table.name, "--email", EMAIL, stdin=PASSWORD).returncode == 0
    user = users.get("ops@example.com")
    assert user is not None
    assert user.administers


@pytest.mark.parametrize(
    ("arguments", "stdin", "code", "words"),
    [
        (("--stack", "shop", "--email", EMAIL), "password", 1, "The password is too easy to guess"),
        (("--stack", "shop", "--email", EMAIL), "", 2, "RETAINSTREAM_NEW_PASSWORD"),
        (("--stack", "shop", "--email", "ops"), PASSWORD, 2, "is not an e-mail address"),
        (("--email", EMAIL), PASSWORD, 2, "--table"),
        (("--stack", "shop", "--table", "t", "--email", EMAIL), PASSWORD, 2, "--table"),
        (("--stack", "shop", "--email", EMAIL, "--password", PASSWORD), "", 2, "No such option"),
        (("--stack", "other", "--email", EMAIL), PASSWORD, 1, "There is no stack other in eu-west-1"),
        (("--table", "other", "--email", EMAIL), PASSWORD, 1, "AWS has no such resource: GetItem failed"),
        (("--stack", "shop", "--email", EMAIL, "--region", "eu west"), PASSWORD, 1, "eu west"),
        (("--stack", "shop", "--email", EMAIL, "--profile", "nobody"), PASSWORD, 1, "(nobody) could not be found"),
    ],
)
def test_nobody_is_made_of_what_is_wrong(
    run_here: RunHere, users: Users, arguments: tuple[str, ...], stdin: str, code: int, words: str
) -> None:
    ended = run_here("bootstrap-admin", *arguments, stdin=stdin)
    assert (ended.returncode, ended.stdout) == (code, "")
    assert words in ended.stderr
    assert PASSWORD not in ended.stderr or "--password" in arguments
    assert users.everyone() == []


@pytest.mark.usefixtures("aws")
def test_a_stack_of_something_else(run_here: RunHere, tmp_path: Path) -> None:
    deploy("else", {"Users": TABLE}, {})
    ended = run_here("bootstrap-admin", "--stack", "else", "--email", EMAIL, stdin=PASSWORD)
    assert ended.returncode == 1
    assert "has no output UsersTableName" in ended.stderr
    (tmp_path / "index.html").write_text("<!doctype html>")
    ended = run_here("publish-pages", "--stack", "else", "--folder", tmp_path)
    assert ended.returncode == 1
    assert "WebPages=yes" in ended.stderr


WITHOUT_CREDENTIALS = dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_WEB_IDENTITY_TOKEN_FILE"), "")


def test_without_credentials_it_says_how_to_name_some(run: Run, tmp_path: Path) -> None:
    nothing = {"AWS_CONFIG_FILE": str(tmp_path / "none"), "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none")}
    ended = run("bootstrap-admin", "--stack", "shop", "--email", EMAIL, stdin=PASSWORD, **WITHOUT_CREDENTIALS, **nothing)
    assert ended.returncode == 4
    assert "There are no valid AWS credentials. Sign in to AWS" in ended.stderr
    ended = run("bootstrap-admin", "--stack", "shop", "--email", EMAIL, stdin=PASSWORD, AWS_DEFAULT_REGION="", **nothing)
    assert ended.returncode == 1
    assert "--region" in ended.stderr


@pytest.mark.parametrize(
    ("status", "error", "code", "words"),
    [
        (403, "AccessDenied", 4, "do not allow DescribeStacks"),
        (403, "ExpiredToken", 4, "does not accept these credentials"),
        (503, "ServiceUnavailable", 5, "AWS is busy: DescribeStacks failed"),
        (400, "Odd", 1, "AWS refused DescribeStacks (Odd)"),
    ],
)
def test_what_aws_refuses(run: Run, service: Service, status: int, error: str, code: int, words: str) -> None:
    service.will(
        (status, f"<ErrorResponse><Error><Type>Sender</Type><Code>{error}</Code><Message>secret</Message></Error></ErrorResponse>")
    )
    variables = {"AWS_ENDPOINT_URL": service.url, "AWS_MAX_ATTEMPTS": "1"}
    ended = run("bootstrap-admin", "--stack", "shop", "--email", EMAIL, stdin=PASSWORD, **variables)
    assert ended.returncode == code, ended.stderr
    assert words in ended.stderr
    assert len(ended.stderr.splitlines()) == 1
    assert "secret" not in ended.stderr


def test_aws_cannot_be_reached(run: Run) -> None:
    variables = {"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_MAX_ATTEMPTS": "1"}
    ended = run("bootstrap-admin", "--stack", "shop", "--email", EMAIL, stdin=PASSWORD, **variables)
    assert ended.returncode == 5
    assert "AWS cannot be reached" in ended.stderr


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """A built dashboard."""
    folder = tmp_path / "dist"
    (folder / "assets").mkdir(parents=True)
    for name in ("index.html", "api-client.js", "icon.svg", "assets/main-abc.js", "assets/font-abc.woff2", ".DS_Store"):
        (folder / name).write_text(name)
    return folder


@pytest.fixture
def pages(aws: None) -> dict[str, str]:
    """A stack with a dashboard, and its outputs."""
    origin: Any = {"Id": "pages", "DomainName": "pages.s3.eu-west-1.amazonaws.com", "S3OriginConfig": {"OriginAccessIdentity": ""}}
    distribution = boto3.client("cloudfront").create_distribution(
        DistributionConfig={
            "CallerReference": "once",
            "Comment": "",
            "Enabled": True,
            "Origins": {"Quantity": 1, "Items": [origin]},
            "DefaultCacheBehavior": {"TargetOriginId": "pages", "ViewerProtocolPolicy": "redirect-to-https"},
        }
    )["Distribution"]["Id"]
    outputs = {"PagesBucketName": {"Ref": "Pages"}, "PagesDistributionId": distribution, "WebUrl": "https://shop.example"}
    return deploy("shop", {"Pages": PAGES}, outputs)


def test_published_pages_say_how_long_they_may_be_kept(run_here: RunHere, built: Path, pages: dict[str, str]) -> None:
    s3, bucket = boto3.client("s3"), pages["PagesBucketName"]
    s3.put_object(Bucket=bucket, Key="assets/main-before.js", Body=b"of the build before")
    ended = run_here("publish-pages", "--stack", "shop", "--folder", built, "--json")
    assert ended.returncode == 0, ended.stderr
    document = json.loads(ended.stdout)
    assert document["files"] == ["assets/font-abc.woff2", "assets/main-abc.js", "api-client.js", "icon.svg", "index.html"]
    objects = {name: s3.get_object(Bucket=bucket, Key=name) for name in document["files"]}
    forever = "public, max-age=31536000, immutable"
    assert {name: (answer["ContentType"], answer["CacheControl"]) for name, answer in objects.items()} == {
        "assets/font-abc.woff2": ("font/woff2", forever),
        "assets/main-abc.js": ("text/javascript; charset=utf-8", forever),
        "api-client.js": ("text/javascript; charset=utf-8", "no-cache"),
        "icon.svg": ("image/svg+xml; charset=utf-8", "no-cache"),
        "index.html": ("text/html; charset=utf-8", "no-cache"),
    }
    assert all(answer["Body"].read().decode() == name for name, answer in objects.items())
    assert s3.head_object(Bucket=bucket, Key="assets/main-before.js"), "pages that are open still ask for it"
    cloudfront = boto3.client("cloudfront")
    invalidations = cloudfront.list_invalidations(DistributionId=pages["PagesDistributionId"])["InvalidationList"]["Items"]
    assert [one["Id"] for one in invalidations] == [document["invalidation"]]
    batch = cloudfront.get_invalidation(DistributionId=pages["PagesDistributionId"], Id=invalidations[0]["Id"])["Invalidation"][
        "InvalidationBatch"
    ]
    assert sorted(batch["Paths"]["Items"]) == ["/", "/index.html"]
    said = run_here("publish-pages", "--stack", "shop", "--folder", built)
    assert (said.returncode, said.stdout) == (0, "")
    assert "5 files published" in said.stderr
    assert "https://shop.example" in said.stderr


@pytest.mark.usefixtures("pages")
def test_pages_that_are_not_built(run_here: RunHere, tmp_path: Path) -> None:
    ended = run_here("publish-pages", "--stack", "shop", "--folder", tmp_path / "dist")
    assert ended.returncode == 1
    assert "make pages" in ended.stderr


def test_pages_without_their_bucket(run_here: RunHere, built: Path, pages: dict[str, str]) -> None:
    boto3.client("s3").delete_bucket(Bucket=pages["PagesBucketName"])
    ended = run_here("publish-pages", "--stack", "shop", "--folder", built)
    assert ended.returncode == 1
    assert "AWS has no such resource: PutObject failed (NoSuchBucket)" in ended.stderr
