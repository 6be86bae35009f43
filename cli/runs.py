"""Runs in the deployment: the command follows one to its end and shows its progress."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote

import typer

from cli.answers import RunView, SteppedRunView
from cli.output import say
from cli.service_errors import ServiceError

if TYPE_CHECKING:
    from cli.client import Client

RunId = Annotated[str | None, typer.Option("--run", metavar="ID", help="Show an earlier run in place of starting one.")]
Watch = Annotated[bool, typer.Option("--watch", "-w", help="Follow the run to its end and show the result.")]

_ENDED = ("SUCCEEDED", "SUCCEEDED_WITH_REJECTS", "FAILED")
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.5, 4.0


@dataclass(frozen=True)
class Stage:
    """Progress of a run: in words, and as `done` of `total` where both are known."""

    text: str
    done: float = 0
    total: float | None = None


@dataclass(frozen=True)
class Run[V: RunView]:
    """A run to follow. `command --run ID` shows it again; its view is at `folder/ID`, and `stage` describes its progress.

    `can_be_left`: the command returns at once unless --watch is set.
    """

    noun: str
    command: str
    folder: str
    run_id: str
    stage: Callable[[V], Stage]
    can_be_left: bool = True

    @property
    def path(self) -> str:
        return f"{self.folder}/{quote(self.run_id, safe='')}"

    def follow(self, client: "Client", *, quiet: bool) -> V:
        """The view when the run has ended. Shows a bar on a terminal, otherwise a line for each step; nothing when `quiet`.

        Raises:
            ServiceError: the run's view cannot be read any more. The run itself goes on.
        """
        from rich.console import Console
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        console = Console(stderr=True)
        columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(), TimeElapsedColumn())
        pause, last_step = _FIRST_PAUSE_SECONDS, None
        view: V
        try:
            with Progress(*columns, console=console, transient=True, disable=quiet or not console.is_terminal) as progress:
                task = progress.add_task(self.noun, total=None)
                while (view := client.get(self.path).data)["status"] not in _ENDED:
                    stage = self.stage(view)
                    progress.update(task, description=f"{self.noun}: {stage.text}", completed=stage.done, total=stage.total)
                    step = (view["status"], view.get("step"))
                    if step != last_step and not quiet and not console.is_terminal:
                        say(f"{self.noun}: {stage.text}")
                    last_step = step
                    time.sleep(pause)
                    pause = min(_LONGEST_PAUSE_SECONDS, pause * 1.25)
        except KeyboardInterrupt:
            self.say_how_to_look()
            raise typer.Exit(130) from None
        except ServiceError:
            self.say_how_to_look()
            raise
        return view

    def say_how_to_look(self) -> None:
        say(f"The {self.noun} continues. To see it: {self.command} --run {self.run_id}{' --watch' if self.can_be_left else ''}")


def say_if_already_running(view: RunView, noun: str, *, quiet: bool) -> None:
    """Says that the answer to a start is a run that was under way, unless `quiet`."""
    if view.get("already_running") and not quiet:
        say(f"A {noun} was already under way. No other was started.")


def stage_of_steps(view: SteppedRunView, planned: list[str], words: Mapping[str, str]) -> Stage:
    """Progress of a run that goes through the steps `planned`."""
    ended = sum(step["status"] == "SUCCEEDED" for step in view["steps"])
    step = view.get("step")
    return Stage(words.get(step or "", step or "starting"), ended, len(planned))


def check_ended_well(view: RunView, noun: str) -> None:
    """Checks that the run did not fail.

    Raises:
        ServiceError: the run failed. The message has the run's reason.
    """
    if view["status"] == "FAILED":
        raise ServiceError(f"The {noun} failed: {view.get('reason') or 'no reason is known'}")
