"""`retainstream publish-pages`: uploads the built dashboard to a deployment."""

import uuid
from pathlib import Path
from typing import Annotated

import typer

from cli.account import AsJson
from cli.aws_options import STACK_HELP, Profile, Region
from cli.output import print_json, say
from cli.page_headers import cache_control, content_type
from cli.service_errors import ServiceError

_FRONT = "index.html"
_CHANGED = ("/", f"/{_FRONT}")


def publish_pages(
    stack: Annotated[str, typer.Option("--stack", metavar="NAME", help=STACK_HELP)],
    folder: Annotated[Path, typer.Option("--folder", help="The folder of the built dashboard.")] = Path("web/dist"),
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """Upload the built dashboard to a deployment with WebPages=yes, with your AWS credentials.

    Assets are uploaded first and the front page last, so that a page never asks for a missing file. Nothing is removed, since open pages
    may still need files of the earlier build.
    """
    files = _files(folder)
    from rich.console import Console
    from rich.progress import track

    from cli.aws import aws_errors, outputs, session

    account = session(region, profile)
    stack_outputs = outputs(account, stack)
    bucket, distribution = stack_outputs.get("PagesBucketName"), stack_outputs.get("PagesDistributionId")
    if bucket is None or distribution is None:
        raise ServiceError(f"The stack {stack} has no dashboard", "Deploy it with WebPages=yes.")
    console = Console(stderr=True)
    with aws_errors():
        s3 = account.client("s3")
        for name in track(files, "Uploading", console=console, transient=True, disable=as_json or not console.is_terminal):
            s3.put_object(
                Bucket=bucket,
                Key=name,
                Body=(folder / name).read_bytes(),
                ContentType=content_type(name),
                CacheControl=cache_control(name),
            )
        invalidation = account.client("cloudfront").create_invalidation(
            DistributionId=distribution,
            InvalidationBatch={"Paths": {"Quantity": len(_CHANGED), "Items": _CHANGED}, "CallerReference": uuid.uuid4().hex},
        )
    if as_json:
        print_json(
            {"bucket": bucket, "files": files, "invalidation": invalidation["Invalidation"]["Id"], "url": stack_outputs.get("WebUrl")}
        )
    else:
        say(f"{len(files):,} files published. The dashboard is up to date in about a minute: {stack_outputs.get('WebUrl', 'the stack')}")


def _files(folder: Path) -> list[str]:
    """Names of the files in the order of their upload, without hidden files."""
    if not (folder / _FRONT).is_file():
        raise ServiceError(f"{folder} has no {_FRONT}", "To build the dashboard: make pages")
    names = [path.relative_to(folder) for path in folder.rglob("*") if path.is_file()]
    shown = [name.as_posix() for name in names if not any(part.startswith(".") for part in name.parts)]
    return sorted(shown, key=lambda name: (name == _FRONT, not name.startswith("assets/"), name))
