"""The AWS account, region and stack of a command."""

from typing import Annotated

import typer

Region = Annotated[
    str | None, typer.Option("--region", metavar="REGION", help="The AWS region. Default: the region of your AWS configuration.")
]
Profile = Annotated[str | None, typer.Option("--profile", metavar="NAME", help="A profile of your AWS configuration.")]
STACK_HELP = "The stack's name, as in sam deploy."
