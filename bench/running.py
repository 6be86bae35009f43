"""Runs one benchmark in this process, or all of them, each in its own process so that they do not affect each other."""

import argparse
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import BENCHMARKS, results_file, scale
from bench.conditions import conditions
from bench.pages import write_pages
from bench.report import show, terminal
from bench.result import Result

type Run = Callable[[bool], Sequence[Result]]
"""A benchmark: quick (tiny sizes, only to check that it works) → results."""


def alone(benchmark: str, run: Run, arguments: Sequence[str] | None = None) -> int:
    """Runs one benchmark here, prints its table and writes its figures into results.json and the pages."""
    parser = argparse.ArgumentParser(prog=f"python -m bench.{benchmark}")
    parser.add_argument("--quick", action="store_true", help="tiny sizes, to check that it works; writes nothing")
    quick = parser.parse_args(arguments).quick
    under, started = conditions(), time.perf_counter()
    results = run(quick)
    seconds = time.perf_counter() - started
    if quick:
        with TemporaryDirectory() as folder:
            show(results_file.merge(benchmark, results, under, seconds, Path(folder) / "results.json"), [benchmark])
        return 0
    show(results_file.merge(benchmark, results, under, seconds), [benchmark])
    write_pages()
    scale.write()
    return 0


def in_a_process_of_its_own[**P, T](work: Callable[P, T], *arguments: P.args, **options: P.kwargs) -> T:
    """The result of `work`, or its exception. Its imports and caches end with the process."""
    with ProcessPoolExecutor(1, get_context("spawn")) as process:
        return process.submit(work, *arguments, **options).result()


def together(chosen: Sequence[str], *, quick: bool = False) -> int:
    """Runs benchmarks one after the other and prints their tables; 1 when one of them failed, after the others have run."""
    console = terminal()
    failed = []
    for place, benchmark in enumerate(chosen, 1):
        console.rule(f"{benchmark} ({place} of {len(chosen)})")
        ended = subprocess.run([sys.executable, "-m", f"bench.{benchmark}", *(["--quick"] if quick else [])], check=False)
        if ended.returncode:
            failed.append(benchmark)
    if not quick and len(chosen) > 1:
        console.rule("All figures")
        show(results_file.read(), chosen, console)
    for benchmark in failed:
        console.print(f"[bold red]{benchmark} failed; its earlier figures are unchanged.")
    return 1 if failed else 0


def main(arguments: Sequence[str] | None = None) -> int:
    """`python -m bench [--quick] [benchmark …]`."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=f"Benchmarks: {', '.join(BENCHMARKS)}.")
    parser.add_argument("benchmarks", nargs="*", metavar="benchmark", choices=[*BENCHMARKS, []])
    parser.add_argument("--quick", action="store_true", help="tiny sizes, to check that they work; writes nothing")
    chosen = parser.parse_args(arguments)
    return together(chosen.benchmarks or BENCHMARKS, quick=chosen.quick)
