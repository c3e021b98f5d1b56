"""Runs many seeds in worker processes, tells how they went, and how to see a failure again.

The hash seed of Python is fixed for all of them: with it, the order in sets of words, and so the run.
"""

import argparse
import multiprocessing
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TextIO

from storm import report
from storm.planted import PLANTED
from storm.seed import ACTS, Result, make_template, quieten, run_seed
from storm.week import DAYS, run_week

HERE = Path(__file__).parent
REGRESSIONS = HERE / "regressions"
HASH_SEED = "0"
BATCH = 10
STORY_LINES = 160
SHARED_MEMORY = Path("/dev/shm")


def regressions() -> list[int]:
    """Seeds that failed once; each line is a seed and why."""
    lines = REGRESSIONS.read_text().splitlines()
    return [int(line.split()[0]) for line in lines if line and not line.startswith("#")]


def fast_folder() -> Path | None:
    return SHARED_MEMORY if SHARED_MEMORY.is_dir() else None


def run_seeds(seeds: Iterable[int], jobs: int, acts: int = ACTS) -> Iterator[Result]:
    """The results as they come. A worker runs a batch of seeds and ends without cleaning up."""
    wanted = list(seeds)
    with tempfile.TemporaryDirectory(prefix="storm-", dir=fast_folder()) as folder:
        template = make_template(Path(folder))
        size = max(1, min(BATCH, -(-len(wanted) // jobs)))
        batches = [(wanted[at : at + size], template, acts) for at in range(0, len(wanted), size)]
        with multiprocessing.get_context("fork").Pool(jobs, maxtasksperchild=1) as pool:
            for results in pool.imap_unordered(_run_batch, batches):
                yield from results


def run_week_of(seed: int, days: int) -> Iterator[Result]:
    """The long scenario, in a worker as well, which ends without cleaning up."""
    with tempfile.TemporaryDirectory(prefix="storm-", dir=fast_folder()) as folder:
        template = make_template(Path(folder))
        with multiprocessing.get_context("fork").Pool(1, maxtasksperchild=1) as pool:
            yield pool.apply(run_week, (seed, template, days))


def _run_batch(batch: tuple[list[int], Path, int]) -> list[Result]:
    seeds, template, acts = batch
    quieten()
    return [run_seed(seed, template, acts=acts) for seed in seeds]


def replay_command(seed: int) -> str:
    return f"make storm SEEDS=1 FROM={seed} STORY=1"


def main(arguments: list[str] | None = None, out: TextIO = sys.stdout) -> None:
    options = _parser().parse_args(arguments)
    if os.environ.get("PYTHONHASHSEED") != HASH_SEED:
        os.environ["PYTHONHASHSEED"] = HASH_SEED
        os.execv(sys.executable, [sys.executable, "-m", "storm", *(arguments or sys.argv[1:])])
    seeds = regressions() if options.regressions else range(options.first, options.first + options.seeds)
    began, totals, failed = time.monotonic(), Counter[str](), list[Result]()
    count, virtual_s = 0, 0.0
    if options.planted:
        PLANTED[options.planted]()
    many = run_seeds(seeds, options.jobs, options.acts)
    for result in run_week_of(options.first, options.days) if options.week else many:
        count += 1
        virtual_s += result.virtual_s
        totals.update(result.counts)
        if result.found:
            failed.append(result)
            print(tell_failure(result), file=out, flush=True)
            if options.planted:
                break
        if options.hashes:
            print(f"{result.seed} {result.hash}", file=out)
        if options.story and not result.found:
            print("\n".join(result.story), file=out)
        if options.minutes and time.monotonic() - began > options.minutes * 60:
            break
    summary = report.Summary(
        first=options.first,
        seeds=count,
        failed=tuple(sorted(result.seed for result in failed)),
        wall_s=time.monotonic() - began,
        virtual_s=virtual_s,
        jobs=options.jobs,
        totals=totals,
    )
    print(summary.line(), file=out)
    if options.report is not None and options.week:
        options.report.write_text(options.report.read_text() + report.week_section(summary))
    elif options.report is not None:
        options.report.write_text(report.document(summary))
    sys.exit(1 if failed else 0)


def tell_failure(result: Result) -> str:
    """What was wrong, the minutes before it, and the command that shows it again."""
    story = result.story[-STORY_LINES:]
    wrong = "\n".join(f"  {one}" for one in result.found)
    return "\n".join(
        (
            f"seed {result.seed} FAILED:",
            wrong,
            "the story, as far as it fits:",
            *story,
            f"again: {replay_command(result.seed)}",
            "",
        )
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="storm", description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--from", type=int, default=1, dest="first")
    parser.add_argument("--regressions", action="store_true", help="run the seeds that failed once")
    parser.add_argument("--week", action="store_true", help="a week of twenty accounts instead of many seeds")
    parser.add_argument("--days", type=int, default=DAYS, help="of the week")
    parser.add_argument("--jobs", type=int, default=min(os.cpu_count() or 2, 4))
    parser.add_argument("--acts", type=int, default=ACTS, help="acts of a seed's storm")
    parser.add_argument("--hashes", action="store_true", help="print each seed's hash")
    parser.add_argument("--story", action="store_true", help="print the story of each seed")
    parser.add_argument("--planted", choices=sorted(PLANTED), help="plant a bug, and stop when it is found")
    parser.add_argument(
        "--minutes", type=float, help="end after so long, and tell of the seeds that were done"
    )
    parser.add_argument("--report", type=Path, help="write a report to this file, or add the week to it")
    return parser
