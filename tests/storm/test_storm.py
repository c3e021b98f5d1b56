"""A handful of seeds with every test run; `make storm` runs as many as one likes.

They run in processes of their own, whose hash seed is fixed and which end without cleaning up.
"""

import os
import subprocess
import sys
from pathlib import Path

from storm.run import HASH_SEED, regressions

TESTS = Path(__file__).parents[1]
HANDFUL = 6


def storm(*arguments: str) -> str:
    """Run the storm's command line; it fails the test when a seed fails."""
    done = subprocess.run(
        [sys.executable, "-m", "storm", "--jobs", "2", *arguments],
        cwd=TESTS,
        env={**os.environ, "PYTHONHASHSEED": HASH_SEED},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_books_equal_the_exchanges_after_any_storm() -> None:
    storm("--from", "1000", "--seeds", str(HANDFUL))


def test_seeds_that_failed_once_pass() -> None:
    assert f"{len(regressions())} seeds" in storm("--regressions")


def test_a_seed_is_the_same_run_every_time() -> None:
    first, again = (storm("--from", "7", "--seeds", "3", "--hashes") for _ in range(2))
    assert _hashes(first) == _hashes(again)
    assert len(set(_hashes(first).values())) == 3


def _hashes(told: str) -> dict[str, str]:
    lines = (line.split() for line in told.splitlines())
    return {words[0]: words[1] for words in lines if len(words) == 2}
