"""`retainstream publish-pages`: the built dashboard put where a deployment's content network finds it."""

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
    folder: Annotated[Path, typer.Option("--folder", help="The built dashboard.")] = Path("web/dist"),
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """Put the built dashboard into a deployment made with WebPages=yes, with your AWS credentials.

    Files come in an order in which every page finds what it asks for: assets first, the front page last. Nothing is removed, since
    pages that are open may still ask for files of the build before.
    """
    files = _files(folder)
    from rich.console import Console
    from rich.progress import track

    from cli.aws import aws_errors, outputs, session

    account = session(region, profile)
    found = outputs(account, stack)
    bucket, distribution = found.get("PagesBucketName"), found.get("PagesDistributionId")
    if bucket is None or distribution is None:
        raise ServiceError(f"The stack {stack} has no dashboard", "Deploy it with the parameter WebPages=yes.")
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
        made = account.client("cloudfront").create_invalidation(
            DistributionId=distribution,
            InvalidationBatch={"Paths": {"Quantity": len(_CHANGED), "Items": _CHANGED}, "CallerReference": uuid.uuid4().hex},
        )
    if as_json:
        print_json({"bucket": bucket, "files": files, "invalidation": made["Invalidation"]["Id"], "url": found.get("WebUrl")})
    else:
        say(f"{len(files):,} files published. The dashboard answers within a minute or so at {found.get('WebUrl', 'the stack')}")


def _files(folder: Path) -> list[str]:
    """What is to be put, in order. Hidden files stay where they are."""
    if not (folder / _FRONT).is_file():
        raise ServiceError(f"{folder} has no {_FRONT}", "Build the dashboard: make pages")
    names = [path.relative_to(folder) for path in folder.rglob("*") if path.is_file()]
    shown = [name.as_posix() for name in names if not any(part.startswith(".") for part in name.parts)]
    return sorted(shown, key=lambda name: (name == _FRONT, not name.startswith("assets/"), name))
