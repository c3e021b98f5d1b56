"""The server and the simulated exchange, each in a process of its own, and what they use."""

import asyncio
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from benchmarks.databases import Place

READY_WITHIN_S = 60.0
_FILLBOOK = str(Path(sys.executable).with_name("fillbook"))


@dataclass(slots=True)
class Process:
    """A child that answers at `url`; `ready_s` is how long it took to."""

    url: str
    ready_s: float
    _process: psutil.Process = field(repr=False)

    def cpu_s(self) -> float:
        used = self._process.cpu_times()
        return float(used.user + used.system)

    def resident_mb(self) -> float:
        return float(self._process.memory_info().rss) / 2**20


@contextmanager
def simulated_exchange() -> Iterator[Process]:
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.exchange", str(port)]
    with _child(command, {}, f"http://127.0.0.1:{port}", "/_sim/prices", None) as process:
        yield process


@contextmanager
def fillbook_server(place: Place, exchange_url: str) -> Iterator[Process]:
    port = free_port()
    with _child(
        [_FILLBOOK, "serve"],
        {**settings_of(place, exchange_url), "FILLBOOK_PORT": str(port)},
        f"http://127.0.0.1:{port}",
        "/health/ready",
        place.directory / "serve.log",
    ) as process:
        yield process


def settings_of(place: Place, exchange_url: str) -> dict[str, str]:
    return {
        "FILLBOOK_DATA_DIR": str(place.directory),
        "FILLBOOK_DATABASE_URL": place.url,
        "FILLBOOK_VENUE_URLS": f'{{"binance:demo":"{exchange_url}"}}',
        "FILLBOOK_LOG_LEVEL": "warning",
    }


def run_admin(place: Place, exchange_url: str, *words: str) -> str:
    """The output of `fillbook admin ...` on this database."""
    done = subprocess.run(
        [_FILLBOOK, "admin", *words],
        env={**os.environ, **settings_of(place, exchange_url)},
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _child(
    command: list[str], variables: Mapping[str, str], url: str, ready_path: str, log: Path | None
) -> Iterator[Process]:
    with Path(log or os.devnull).open("ab") as output:
        begun = time.perf_counter()
        child = subprocess.Popen(command, env={**os.environ, **variables}, stdout=output, stderr=output)
        try:
            _await_ready(child, url + ready_path, log)
            yield Process(url, time.perf_counter() - begun, psutil.Process(child.pid))
        except RuntimeError:
            if log is not None:
                print(log.read_text()[-4000:], file=sys.stderr)
            raise
        finally:
            child.terminate()
            child.wait(30)


def _await_ready(child: "subprocess.Popen[bytes]", url: str, log: Path | None) -> None:
    deadline = time.perf_counter() + READY_WITHIN_S
    while time.perf_counter() < deadline:
        if child.poll() is not None:
            raise RuntimeError(f"it ended at its start:\n{log.read_text() if log else ''}")
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.01)
    raise RuntimeError(f"{url} did not answer within {READY_WITHIN_S:.0f} s")


async def settle(seconds: float) -> None:
    """Let what is under way come to its end."""
    await asyncio.sleep(seconds)


async def quiet(process: Process, least_s: float = 0.15, most_s: float = 10.0) -> None:
    """Wait until a process has next to nothing to do, on a machine that may be busy with other things."""
    deadline = time.perf_counter() + most_s
    await asyncio.sleep(least_s)
    used_s = process.cpu_s()
    while time.perf_counter() < deadline:
        await asyncio.sleep(0.1)
        before_s, used_s = used_s, process.cpu_s()
        if used_s - before_s <= 0.011:
            return
