"""The command line of the local stack."""

import argparse
import errno
import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from rich.console import Console
from rich.status import Status

from local.function_log import FunctionLog
from local.parent import end_with

if TYPE_CHECKING:
    from local.own_data import OwnData
    from local.past import Past
    from local.stack import LocalStack

_ROOT = Path(__file__).parents[1]
_LARGEST_LOG_BYTES = 20_000_000
_MOST_MONTHS = 60


class _StoppedError(BaseException):
    """The process received SIGINT or SIGTERM."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Start the stack, seed it at its first start, and serve until SIGINT or SIGTERM. Returns the exit code."""
    options = _options(arguments)
    started = time.monotonic()
    console = Console(highlight=False)
    stopped = threading.Event()
    _on_signal(stopped)
    try:
        _check_port(options.port)
        own = _own_data(options, console)
        log = _function_log(options.data_dir, lambda text: _report(console, text))
    except _OneLineError as error:
        console.print(str(error), style="red", markup=False, soft_wrap=True)
        return 1
    except _StoppedError:
        return 0
    console.file = sys.stdout
    sys.stdout = log  # what functions print belongs to their log; the console is for people
    logging.getLogger("moto.stepfunctions").setLevel(logging.CRITICAL)  # a run records its own failure
    if options.parent_pid is not None:
        end_with(options.parent_pid, before=lambda: _silence(console))
    code = _run(options, own, console, stopped, started)
    log.flush()
    console.file.flush()
    os._exit(code)  # state machines that are still running must not hold up the end


def _silence(console: Console) -> None:
    console.quiet = True


class _OneLineError(Exception):
    """A start that one line explains."""


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    def whole(text: str) -> int:
        number = int(text)
        if number < 0:
            raise ValueError
        return number

    def months(text: str) -> int:
        if (number := whole(text)) > _MOST_MONTHS:
            raise argparse.ArgumentTypeError(f"{number} is more than {_MOST_MONTHS} months")
        return number

    environment = os.environ
    parser = argparse.ArgumentParser(
        prog="python -m local",
        description="Run the whole stack on this machine. Each option can also be set by the variable in capitals.",
    )
    parser.add_argument("--port", type=whole, default=environment.get("PORT") or "5000", help="port of the API (PORT, default 5000)")
    parser.add_argument(
        "--customers",
        type=whole,
        default=environment.get("CUSTOMERS") or "5000",
        help="number of synthetic customers created at the first start (CUSTOMERS, default 5000; 0 creates the administrator only)",
    )
    parser.add_argument(
        "--months",
        type=months,
        default=environment.get("MONTHS") or "12",
        help="months of the synthetic customers' past, replayed at the first start (MONTHS, default 12; 0 creates customers of one moment)",
    )
    parser.add_argument(
        "--schema",
        type=Path,
        default=Path(environment["SCHEMA"]) if environment.get("SCHEMA") else None,
        metavar="FILE",
        help="feature schema, YAML or JSON, activated at the first start (SCHEMA; default: the active schema, or the streaming one)",
    )
    parser.add_argument(
        "--data",
        type=Path,
        default=Path(environment["DATA"]) if environment.get("DATA") else None,
        metavar="FILE",
        help="CSV file of your customers, in place of synthetic ones at the first start (DATA)",
    )
    for option, meaning in (("features", "the day that its features describe"), ("outcomes", "the day on which its outcomes were known")):
        parser.add_argument(
            f"--{option}-as-of",
            default=environment.get(f"{option.upper()}_AS_OF", ""),
            metavar="DAY",
            help=f"with --data: {meaning} ({option.upper()}_AS_OF; assumed: outcomes of today, features of one horizon before)",
        )
    for option, metavar, meaning in (
        ("decimal", "MARK", "the decimal mark of its numbers, . or ,"),
        ("encoding", "NAME", "the encoding of its text, as in cp1250"),
        ("sheet", "NAME", "the sheet of a workbook, in place of the first one"),
    ):
        parser.add_argument(
            f"--{option}",
            default=environment.get(option.upper()) or None,
            choices=(".", ",") if option == "decimal" else None,
            metavar=metavar,
            help=f"with --data: {meaning} ({option.upper()}; default: as the schema or the file shows)",
        )
    parser.add_argument(
        "--reset",
        action="store_true",
        default=environment.get("RESET", "") not in ("", "0"),
        help="delete the stored state and start again (RESET=1)",
    )
    parser.add_argument(
        "--data-dir",
        type=Path,
        default=Path(environment.get("DATA_DIR") or _ROOT / ".local"),
        help="folder of the stored state (DATA_DIR, default .local in the project)",
    )
    parser.add_argument(
        "--parameter",
        action="append",
        type=_parameter,
        default=[],
        metavar="NAME=VALUE",
        help="value of a template parameter, in place of its default; repeatable",
    )
    parser.add_argument(
        "--parent-pid",
        type=whole,
        default=environment.get("PARENT_PID") or None,
        metavar="PID",
        help="stop when the process with this id ends (PARENT_PID; for tests)",
    )
    parser.add_argument("--template", type=Path, default=_ROOT / "template.yaml", help="template to run (default: the project's)")
    return parser.parse_args(arguments)


def _parameter(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name, value


def _check_port(port: int) -> None:
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
    except (OSError, OverflowError) as error:
        raise _OneLineError(_port_trouble(port, error)) from error


def _port_trouble(port: int, error: Exception) -> str:
    if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        return f"Port {port} is in use; choose another with PORT=, for example PORT={port + 1}."
    return f"Port {port} cannot be used: {error}."


def _report(console: Console, text: str) -> None:
    """Show a fault. The console may be a file on a full disk; that must not end what reports the fault."""
    with suppress(OSError):
        console.print(text, style="red", markup=False, soft_wrap=True)


def _function_log(folder: Path, report: Callable[[str], None]) -> FunctionLog:
    path = folder / "functions.log"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if path.exists() and path.stat().st_size > _LARGEST_LOG_BYTES:
            path.replace(path.with_suffix(".log.1"))
        return FunctionLog(path, report)
    except OSError as error:
        raise _OneLineError(f"The data folder {folder} cannot be used: {error.strerror}.") from error


def _on_signal(stopped: threading.Event) -> None:
    def stop(_number: int, _frame: Any) -> NoReturn:
        if stopped.is_set():
            os._exit(130)
        stopped.set()
        raise _StoppedError

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)


def _own_data(options: argparse.Namespace, console: Console) -> "OwnData | None":
    """The schema and the data of the options, checked before a state is created or deleted for them."""
    if options.schema is None and options.data is None:
        return None
    from local.own_data import OwnData, OwnDataError
    from local.state import State
    from retainstream.engine.schema import default_schema

    try:
        own = OwnData(
            options.schema,
            options.data,
            options.features_as_of,
            options.outcomes_as_of,
            decimal=options.decimal,
            encoding=options.encoding,
            sheet=options.sheet,
        )
        if options.reset or not State.exists(options.data_dir):
            with console.status("Reading") as status:
                own.survey(own.schema or default_schema(), status.update)
    except OwnDataError as error:
        raise _OneLineError(str(error)) from error
    return own


def _run(options: argparse.Namespace, own: "OwnData | None", console: Console, stopped: threading.Event, started: float) -> int:
    running = ExitStack()
    stack: LocalStack | None = None
    try:
        with console.status("Starting") as status:
            stack = _start(options, console, status)
            running.callback(stack.stop)
        _print_omissions(console, stack.deployment.not_made)
        if stack.loaded:
            console.print(f"Loaded {stack.loaded:,} items from {options.data_dir}.", markup=False, soft_wrap=True)
        past = _seed(stack, options, own, console)
        _print_addresses(console, stack.url, options.data_dir, time.monotonic() - started)
        if past is not None:
            _replay(stack, past, console)
        while not stopped.wait(3600):
            pass
    except _StoppedError:
        console.print("Stopping")
    except Exception as error:
        console.print(str(error) or type(error).__name__, style="red", markup=False, soft_wrap=True)
        running.close()
        return 1
    running.close()
    return 1 if stack and stack.problem else 0


def _start(options: argparse.Namespace, console: Console, status: Status) -> "LocalStack":
    from local.failures import explained
    from local.stack import LocalStack

    stack = LocalStack(
        port=options.port,
        data=options.data_dir,
        reset=options.reset,
        template=options.template,
        parameters=dict(options.parameter),
        report=lambda text: _report(console, text),
        progress=status.update,
    )
    with explained():
        return stack.start()


def _seed(stack: "LocalStack", options: argparse.Namespace, own: "OwnData | None", console: Console) -> "Past | None":
    """Seed the stack. Returns the past that is still to be replayed, if any."""
    from local.seed import seed
    from local.seed_own import seed_own

    if own is None:
        return seed(stack, options.customers, console, options.months)
    seed_own(stack, own, options.data_dir, console)
    return None


def _replay(stack: "LocalStack", past: "Past", console: Console) -> None:
    """Replay the rest of the past, beside the requests. A failure is reported, and the stack goes on with what it has."""
    from local.seed import SeedError, replay

    later = past.tables - past.done
    follow = "1 later table follows" if later == 1 else f"{later} later tables follow"
    console.print(f"\nThe dashboard shows the table of {past.day}. {follow} now.", markup=False, soft_wrap=True)
    try:
        replay(stack, past, console)
    except SeedError as error:
        _report(console, f"{error} The next start goes on with the replay.")


def _print_omissions(console: Console, not_made: dict[str, int]) -> None:
    listed = ", ".join(f"{count} × {kind}" for kind, count in sorted(not_made.items()))
    if listed:
        console.print(f"Not created, because they have no effect on one machine: {listed}.", style="dim", markup=False, soft_wrap=True)


def _print_addresses(console: Console, url: str, folder: Path, seconds: float) -> None:
    console.print(f"\nReady after {seconds:.0f} s.\n")
    console.print(f"  Dashboard      {url}", markup=False)
    console.print(f"  API            {url}/api/docs", markup=False)
    console.print(
        "  Administrator  alex.chen@netflix.com / password   (a demonstration account of this local stack only)",
        markup=False,
        soft_wrap=True,
    )
    console.print(f"  State, logs    {folder}", markup=False, soft_wrap=True)
    console.print("\nCtrl-C stops the stack. The next start continues with the same data.")
