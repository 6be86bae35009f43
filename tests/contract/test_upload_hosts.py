"""Uploads go from the browser straight to the bucket: the host of a signed link is a host that the pages may reach, in every region."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import boto3
import pytest

from retainstream.storage import clients
from tools.expand import expand

BUCKET = "retainstream-bucket-1x2y3z"
SUFFIXES = {"aws": "amazonaws.com", "aws-us-gov": "amazonaws.com", "aws-cn": "amazonaws.com.cn"}
REGIONS = [(region, suffix) for partition, suffix in SUFFIXES.items() for region in boto3.Session().get_available_regions("s3", partition)]


@pytest.fixture(scope="module")
def policy() -> str:
    """The pages' content security policy, with the references that CloudFormation fills."""
    headers = expand().template["Resources"]["PagesHeaders"]["Properties"]["ResponseHeadersPolicyConfig"]["SecurityHeadersConfig"]
    text: str = headers["ContentSecurityPolicy"]["ContentSecurityPolicy"]["Fn::Sub"]
    return text


@pytest.fixture
def in_region(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    region: str = request.param
    for name, value in {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_DEFAULT_REGION": region}.items():
        monkeypatch.setenv(name, value)
    clients.s3.cache_clear()
    yield region
    clients.s3.cache_clear()


@pytest.mark.parametrize(("in_region", "suffix"), REGIONS, indirect=["in_region"], ids=[region for region, _ in REGIONS])
@pytest.mark.parametrize("operation", ["put_object", "get_object", "upload_part"])
def test_signed_links_lead_to_a_host_that_the_pages_may_reach(policy: str, in_region: str, suffix: str, operation: str) -> None:
    for name, value in {"Bucket": BUCKET, "AWS::Region": in_region, "AWS::URLSuffix": suffix}.items():
        policy = policy.replace(f"${{{name}}}", value)
    sources = dict(directive.split(" ", 1) for directive in policy.split("; "))["connect-src"].split()
    part = {"UploadId": "upload", "PartNumber": 1} if operation == "upload_part" else {}
    link = urlsplit(clients.s3().generate_presigned_url(operation, Params={"Bucket": BUCKET, "Key": "imports/uploads/1", **part}))
    assert f"{link.scheme}://{link.netloc}" in sources
