"""Where the demo plays: four simulated exchanges and the real server, in one process, in a temporary directory.

Everything that the environment may say about a real installation is overridden, so that the demo never touches
it. The log goes to a file beside the database, out of the picture.
"""

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from pydantic import SecretStr

from fillbook.accounts.core import Environment
from fillbook.app.logging import configure_logging
from fillbook.app.server import Server, running
from fillbook.app.settings import Settings
from fillbook.identity import service as identity
from fillbook.identity.core import Role, TokenScope
from fillbook.kernel.errors import InvalidInput
from fillbook.market.core import VenueName
from fillbook.storage.unit import Unit
from fillbook.venues.sim import server as simulator

HOST = "127.0.0.1"
VENUES = tuple(VenueName)
ENVIRONMENT = Environment.DEMO
USERNAME = "demo"
LOG_NAME = "server.log"


@dataclass(frozen=True, slots=True)
class Stage:
    """The addresses, and the API token of the demo's one person."""

    server_url: str
    exchange_urls: Mapping[VenueName, str]
    token: str


class _Web(uvicorn.Server):
    """Leaves the signals to the demo, which has more to put away than the web server."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextlib.asynccontextmanager
async def set_up(directory: Path, port: int) -> AsyncIterator[Stage]:
    """Start exchanges and server; end all. Port 0 picks a free one. Raises `InvalidInput` for a taken port."""
    with _listening(port) as listener, (directory / LOG_NAME).open("w", encoding="utf-8") as log:
        redactor = configure_logging("info", "json", log)
        logging.captureWarnings(True)
        logging.getLogger("aiohttp.access").setLevel(logging.WARNING)
        exchange = await simulator.start(dict.fromkeys(VENUES, 0))
        urls = {venue: exchange.url(venue) for venue in VENUES}
        try:
            settings = _settings(directory, urls)
            async with running(settings, redactor) as server, _serving(server, listener):
                yield Stage(
                    server_url=f"http://{HOST}:{listener.getsockname()[1]}",
                    exchange_urls=urls,
                    token=await _make_person(server),
                )
        finally:
            await exchange.close()


def _settings(directory: Path, exchange_urls: Mapping[VenueName, str]) -> Settings:
    """Every setting by name: what the environment says is meant for another server."""
    return Settings(
        data_dir=directory,
        database_url=SecretStr(f"sqlite:///{directory / 'fillbook.db'}"),
        master_keys=(),
        venue_urls={f"{venue}:{ENVIRONMENT}": url for venue, url in exchange_urls.items()},
        allow_fake_live=False,
        host=HOST,
        port=1,
        log_level="info",
        log_format="json",
        trusted_proxies=(),
    )


@contextlib.contextmanager
def _listening(port: int) -> Iterator[socket.socket]:
    """A bound socket, so that nobody can take the port between choosing and using it.

    The protocol is named because asyncio sends small answers at once (TCP_NODELAY) only where it is.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
        except OSError as error:
            raise InvalidInput(
                f"Port {port} cannot be used ({error.strerror}): choose another with --port."
            ) from error
        yield listener


@contextlib.asynccontextmanager
async def _serving(server: Server, listener: socket.socket) -> AsyncIterator[None]:
    config = uvicorn.Config(
        server.application(),
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=2,
    )
    web = _Web(config)
    task = asyncio.create_task(web.serve(sockets=[listener]))
    try:
        while not web.started:
            if task.done():
                task.result()
            await asyncio.sleep(0.01)
        yield
    finally:
        web.should_exit = True
        await task


async def _make_person(server: Server) -> str:
    async def work(unit: Unit) -> str:
        user = await identity.create_user(
            unit, email=f"{USERNAME}@localhost", username=USERNAME, password=None, role=Role.ADMIN
        )
        scopes = (TokenScope.READ, TokenScope.TRADE)
        _, token = await identity.create_token(unit, user, name="demo", scopes=scopes, rng=server.rng)
        return token

    return await server.database.run(work)
