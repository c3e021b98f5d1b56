"""The commands of the page on lost databases are run as they are printed; then the books are there again."""

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from fillbook.accounts.vault import KEY_FILE
from fillbook.orders.core.venue_traits import TRAITS
from fillbook.storage.unit import Database
from fillbook.trading.core.rebuild import RebuildCase
from support.memory import Memory
from support.process import Process
from support.world import MASTER_KEY

PAGE = Path(__file__).parents[2] / "docs" / "operating" / "disaster.md"
BIN = Path(sys.executable).parent
SERVER = ("FILLBOOK_MASTER_KEYS", "FILLBOOK_DATABASE_URL", "FILLBOOK_DATA_DIR")


def blocks() -> list[str]:
    return re.findall(r"^```sh\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE)


def run(script: str, home: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    """A script of the page, in a home of its own."""
    kept = {name: value for name, value in os.environ.items() if name not in SERVER}
    kept |= {"HOME": str(home), "PATH": f"{BIN}:{os.environ['PATH']}", **environment}
    return subprocess.run(
        ["bash", "-ec", script], env=kept, capture_output=True, text=True, timeout=120, check=False
    )


async def test_the_books_come_back_by_the_commands_of_the_page(process: Process, tmp_path: Path) -> None:
    world = process.world
    account = await world.account_at_venue("acc")
    strategy = await world.strategy(account, leverage=2)
    (process.data_dir / KEY_FILE).write_text(f"{MASTER_KEY}\n")
    (process.data_dir / KEY_FILE).chmod(0o600)
    await process.start()
    alert = {"group_name": strategy.group_name, "token": strategy.key, "symbol": "BTCUSDT"}
    for side, order in (("buy", {}), ("sell", {}), ("buy", {"order_type": "LIMIT", "price": 50000})):
        await process.alert(**alert, **{"order_type": "MARKET", "side": side, "qty_per": 30, **order})
    await world.until(lambda: _orders(world, 3))
    await world.quiet()
    process.stop()
    before = await Memory.read(world.db)
    export, steps = blocks()
    urls = f'{{"binance:demo": "{process.exchange_url}"}}'
    (tmp_path / "keep").mkdir()
    (tmp_path / "keep" / KEY_FILE).write_bytes((process.data_dir / KEY_FILE).read_bytes())
    (tmp_path / "keep" / KEY_FILE).chmod(0o600)
    exported = await asyncio.to_thread(run, export, tmp_path, FILLBOOK_DATA_DIR=str(process.data_dir))
    assert exported.returncode == 0, exported.stderr
    done = await asyncio.to_thread(run, steps, tmp_path, FILLBOOK_VENUE_URLS=urls)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "BTC/USDT:USDT" in done.stdout
    rebuilt = Database.connect(f"sqlite:///{tmp_path / 'fillbook-new' / 'fillbook.db'}", world.clock)
    after = await Memory.read(rebuilt)
    await rebuilt.close()
    assert [line for line in after.differences(before) if not line.startswith("entries")] == []


async def _orders(world: object, count: int) -> bool:
    return len(await world.orders()) == count  # type: ignore[attr-defined]


async def test_a_rebuild_beside_a_running_server_is_refused_in_one_sentence(process: Process) -> None:
    await process.world.account_at_venue("acc")
    await process.start()
    refused = await asyncio.to_thread(
        run,
        "fillbook rebuild --yes",
        process.data_dir,
        FILLBOOK_DATA_DIR=str(process.data_dir),
        FILLBOOK_MASTER_KEYS=MASTER_KEY,
    )
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith("fillbook: Another Fillbook")
    assert len(refused.stderr.splitlines()) == 1


def test_the_page_says_what_each_exchange_keeps() -> None:
    text = PAGE.read_text()
    days = {"Binance futures": ("binance", "futures"), "Bybit": ("bybit", "spot"), "OKX": ("okx", "futures")}
    for row, (venue, market) in days.items():
        traits = next(found for name, found in TRAITS.items() if name == venue)
        kept = next(kept for kind, kept in traits.fills_kept.items() if kind == market)
        assert re.search(rf"\| {row}[^|]*\| {kept.days} days", text)


@pytest.mark.parametrize("case", RebuildCase)
def test_the_page_explains_every_finding(case: RebuildCase) -> None:
    assert f"\n| `{case}` |" in PAGE.read_text()
