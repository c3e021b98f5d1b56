"""The machine and the versions that numbers belong to."""

import os
import platform
import sqlite3
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

import psutil

_LIBRARIES = ("sqlalchemy", "aiohttp", "ccxt", "asyncpg", "aiosqlite", "uvloop", "pydantic", "fastapi")


def describe_machine() -> str:
    """A paragraph for the head of a report, the noise of the moment included."""
    memory_gb = psutil.virtual_memory().total / 2**30
    libraries = ", ".join(f"{name} {version(name)}" for name in _LIBRARIES)
    return (
        f"{os.cpu_count()} cores of {_processor()}, {memory_gb:.0f} GB, {platform.system()} "
        f"{platform.release()}; one fsync of 4 kB takes {_fsync_ms():.2f} ms (median); Python "
        f"{sys.version.split()[0]}, SQLite {sqlite3.sqlite_version}, {libraries}. "
        f"Load average at the start: {os.getloadavg()[0]:.2f}.\n"
    )


def server_cpu_s(database: str) -> float:
    """CPU seconds so far of a server's processes that serve a database of this name, where they run here."""
    total = 0.0
    for process in psutil.process_iter(["cmdline", "cpu_times"]):
        # PostgreSQL writes the database's name into its processes' titles.
        if database in " ".join(process.info["cmdline"] or ()) and process.pid != os.getpid():
            total += process.info["cpu_times"].user + process.info["cpu_times"].system
    return total


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else ():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _fsync_ms() -> float:
    taken = []
    with tempfile.TemporaryFile(dir=tempfile.gettempdir(), buffering=0) as file:
        for _ in range(101):
            file.write(b"x" * 4096)
            begun = time.perf_counter()
            os.fsync(file.fileno())
            taken.append((time.perf_counter() - begun) * 1000)
    return sorted(taken)[50]
