"""`fillbook demo`: the whole path of an order on one screen, from the alert to books that agree with the exchange.

After every step the demo waits until the books agree with the exchange's own record, and says how long that
took. `--once` ends with the comparison, and with exit code 1 when it finds any difference at all.
"""

import asyncio
import contextlib
import shutil
import signal
import tempfile
from pathlib import Path

import aiohttp
from rich.console import Console

from fillbook.app.demo.cast import assemble
from fillbook.app.demo.clients import Exchanges, FillbookClient
from fillbook.app.demo.follow import follow
from fillbook.app.demo.screen import Screen
from fillbook.app.demo.script import STEPS
from fillbook.app.demo.show import Show
from fillbook.app.demo.stage import LOG_NAME, set_up

READING_PAUSE_S = 1.5
INTERRUPTED = 130


def run_demo(once: bool, port: int) -> int:
    """Play; returns the exit code. Ctrl-C and SIGTERM put everything away."""
    screen = Screen(Console(highlight=False))
    directory = Path(tempfile.mkdtemp(prefix="fillbook-demo-"))
    has_failed = True
    try:
        has_failed = not asyncio.run(_play(screen, directory, once, port))
    except (asyncio.CancelledError, KeyboardInterrupt):
        has_failed = False
        screen.say("\nThe demo has ended, and its database is gone.")
        return INTERRUPTED if once else 0
    finally:
        log = directory / LOG_NAME
        if has_failed and log.exists():
            screen.say(f"\nThe server's log is in {log}.", "red")
        else:
            shutil.rmtree(directory, ignore_errors=True)
    return int(has_failed)


async def _play(screen: Screen, directory: Path, once: bool, port: int) -> bool:
    """Whether the books agreed with the exchange at the end of the script."""
    playing = asyncio.current_task()
    assert playing is not None
    with contextlib.suppress(NotImplementedError):  # Windows raises KeyboardInterrupt by itself
        for stopping in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(stopping, playing.cancel)
    screen.opening()
    async with set_up(directory, port) as stage, aiohttp.ClientSession() as session:
        api = FillbookClient(session, stage.server_url, stage.token)
        exchanges = Exchanges(session, stage.exchange_urls)
        show = Show(screen, api, exchanges, await assemble(api, exchanges))
        await show.begin()
        for number, step in enumerate(STEPS, start=1):
            await show.play(number, step)
            if not once:
                await asyncio.sleep(READING_PAUSE_S)
        checks = await show.agree()
        screen.comparison(checks)
        if not once:
            await follow(show, stage)
    return all(check.agrees for check in checks)
