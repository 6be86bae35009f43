"""Which AWS account, region and stack a command means."""

from typing import Annotated

import typer

Region = Annotated[
    str | None, typer.Option("--region", metavar="REGION", help="The AWS region; that of your AWS configuration without it.")
]
Profile = Annotated[str | None, typer.Option("--profile", metavar="NAME", help="A profile of your AWS configuration.")]
STACK_HELP = "The stack's name, as sam deploy was told."
