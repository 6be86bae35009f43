"""Runs that go on by themselves in the deployment: followed to their end, with what they are doing."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

import typer

from cli.output import say
from cli.service_errors import ServiceError

if TYPE_CHECKING:
    from cli.client import Client

type View = dict[str, Any]

RunId = Annotated[str | None, typer.Option("--run", metavar="ID", help="Look at one that was started before.")]
Watch = Annotated[bool, typer.Option("--watch", "-w", help="Follow it to its end, and show what came of it.")]

_ENDED = ("SUCCEEDED", "FAILED")
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.5, 4.0


@dataclass(frozen=True)
class Stage:
    """How far a run has come: in words, and `done` of `total` where that can be said."""

    text: str
    done: float = 0
    total: float | None = None


@dataclass(frozen=True)
class Run:
    """A run to follow. `command --run ID` looks at it again; its view is below the path `folder`, and `stage` puts it in words.

    One that can be left is looked at only, unless --watch is given.
    """

    noun: str
    command: str
    folder: str
    run_id: str
    stage: Callable[[View], Stage]
    can_be_left: bool = True

    @property
    def path(self) -> str:
        return f"{self.folder}/{quote(self.run_id, safe='')}"

    def follow(self, client: "Client", *, quiet: bool) -> View:
        """Its view when it has ended. On a terminal with a bar, else with a line for each step; `quiet` shows nothing.

        Raises:
            ServiceError: it cannot be looked at any more. It goes on.
        """
        from rich.console import Console
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        console = Console(stderr=True)
        columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(), TimeElapsedColumn())
        pause, told = _FIRST_PAUSE_SECONDS, None
        try:
            with Progress(*columns, console=console, transient=True, disable=quiet or not console.is_terminal) as progress:
                task = progress.add_task(self.noun, total=None)
                while (view := client.get(self.path).data)["status"] not in _ENDED:
                    stage = self.stage(view)
                    progress.update(task, description=f"{self.noun}: {stage.text}", completed=stage.done, total=stage.total)
                    place = (view["status"], view.get("step"))
                    if place != told and not quiet and not console.is_terminal:
                        say(f"{self.noun}: {stage.text}")
                    told = place
                    time.sleep(pause)
                    pause = min(_LONGEST_PAUSE_SECONDS, pause * 1.25)
        except KeyboardInterrupt:
            self.say_how_to_look()
            raise typer.Exit(130) from None
        except ServiceError:
            self.say_how_to_look()
            raise
        found: View = view
        return found

    def say_how_to_look(self) -> None:
        say(f"The {self.noun} goes on by itself. Look at it: {self.command} --run {self.run_id}{' --watch' if self.can_be_left else ''}")


def stage_of_steps(view: Mapping[str, Any], planned: list[str], words: Mapping[str, str]) -> Stage:
    """How far a run has come that goes through steps."""
    ended = sum(step["status"] == "SUCCEEDED" for step in view["steps"])
    step = view.get("step")
    return Stage(words.get(step or "", step or "starting"), ended, len(planned))


def check_ended_well(view: View, noun: str) -> None:
    """Raises ServiceError when the run failed, with the reason that it gives."""
    if view["status"] == "FAILED":
        raise ServiceError(f"The {noun} failed: {view.get('reason') or 'no reason is known'}")
