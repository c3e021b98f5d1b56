"""The real server as a process of its own, on a world's database and exchange."""

import json
import os
import socket
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from support.crashing import NOWHERE
from support.world import MASTER_KEY, World

TESTS = Path(__file__).parents[1]
READY_WITHIN_S = 60


@dataclass
class Process:
    """A server process on the world's database and exchange, or on what stands before them."""

    world: World
    data_dir: Path
    port: int
    running: "subprocess.Popen[bytes] | None" = None
    log_name: str = "server.log"
    database_url: str = ""
    venue_url: str = ""
    is_hurried: bool = False
    log: Path = field(init=False)

    def __post_init__(self) -> None:
        self.log = self.data_dir / self.log_name

    async def start(self, step: str = NOWHERE) -> None:
        environment = os.environ | {
            "PYTHONPATH": os.pathsep.join([str(TESTS), os.environ.get("PYTHONPATH", "")]),
            "FILLBOOK_DATA_DIR": str(self.data_dir),
            "FILLBOOK_MASTER_KEYS": MASTER_KEY,
            "FILLBOOK_VENUE_URLS": json.dumps(
                {f"{self.world.venue}:demo": self.venue_url or self.exchange_url}
            ),
            "FILLBOOK_PORT": str(self.port),
            "FILLBOOK_DATABASE_URL": self.database_url,
        }
        command = [sys.executable, "-m", "support.crashing", step]
        if self.is_hurried:
            command.append("--hurried")
        with self.log.open("ab") as log:
            self.running = subprocess.Popen(command, env=environment, stdout=log, stderr=log)  # noqa: ASYNC220 - starting takes no time
        await self.world.until(self._is_ready, READY_WITHIN_S)

    @property
    def exchange_url(self) -> str:
        return self.world.server.url(self.world.venue)

    async def _is_ready(self) -> bool:
        assert self.running is not None
        assert self.running.poll() is None, self.log.read_text()
        try:
            async with httpx.AsyncClient() as client:
                return (await client.get(f"http://127.0.0.1:{self.port}/health/ready")).status_code == 200
        except httpx.TransportError:
            return False

    async def readiness(self) -> dict[str, Any]:
        async with httpx.AsyncClient(timeout=20) as client:
            answer: dict[str, Any] = (await client.get(f"{self.url}/health/ready")).json()
            return answer

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def has_died(self) -> bool:
        return self.running is not None and self.running.poll() is not None

    def stop(self) -> None:
        if self.running is not None and self.running.poll() is None:
            self.running.terminate()
            self.running.wait(20)

    def kill(self) -> None:
        """Signal 9: no `finally` runs, nothing is said goodbye to."""
        assert self.running is not None
        self.running.kill()
        self.running.wait(20)

    async def alert(self, **alert: object) -> None:
        """Deliver an alert; the server may die before it answers."""
        async with httpx.AsyncClient() as client:
            try:
                await client.post(f"http://127.0.0.1:{self.port}/api/webhook", json=alert)
            except httpx.TransportError:
                assert self.running is not None


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
