"""`fillbook reconcile`: compare accounts with their exchanges now, and say what differed."""

import asyncio
import contextlib
import random
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from fillbook.accounts.errors import MasterKeyLost
from fillbook.app.cli.config import alone, vault_of
from fillbook.app.cli.settings import load
from fillbook.app.settings import Settings
from fillbook.fleet.directory_lock import DirectoryInUse
from fillbook.kernel.clock import SystemClock
from fillbook.storage import migrate
from fillbook.storage.unit import Database

if TYPE_CHECKING:
    from fillbook.app.reconcile import RunResult


def reconcile(
    account: Annotated[
        list[str] | None, typer.Option(help="An account's name; may be repeated. Without it: all.")
    ] = None,
) -> None:
    """Compare accounts with their exchanges now. A running server does it; without one it is done here."""
    settings, _ = load()
    with contextlib.ExitStack() as stack:
        try:
            owns_directory = stack.enter_context(alone(settings))
        except DirectoryInUse:
            owns_directory = False  # a server trades here: it will do the runs
        results = asyncio.run(_run(settings, account or (), owns_directory))
    _show(results)
    if not all(result.is_whole for result in results):
        raise typer.Exit(1)


async def _run(settings: Settings, names: Sequence[str], owns_directory: bool) -> "list[RunResult]":
    from fillbook.app.reconcile import Reconciliation
    from fillbook.venues.ccxt.venues import CcxtVenues

    vault = vault_of(settings)
    if vault is None:
        raise MasterKeyLost(
            "There is no master key here: set FILLBOOK_MASTER_KEYS or bring the key file back."
        )
    clock, rng = SystemClock(), random.SystemRandom()
    database = Database.connect(settings.resolved_database_url, clock)
    venues = CcxtVenues(clock, rng, settings.base_urls)
    try:
        await migrate.require_head(database.engine)
        reconciliation = Reconciliation(
            database, clock, rng, vault, venues.open, owns_directory=owns_directory
        )
        return await reconciliation.run(await reconciliation.accounts(names))
    finally:
        await venues.close()
        await database.close()


def _show(results: "Sequence[RunResult]") -> None:
    table = Table("account", "findings", "repaired", "to know")
    for result in results:
        if result.run is None:
            table.add_row(result.account.name, "", "", result.failure or "")
            continue
        notes = [f"not read: {part}" for part in result.run["unread"]]
        notes += [f"{'' if row.is_repaired else '! '}{row.subject}: {row.cause}" for row in result.findings]
        counts = (str(result.run["findings"]), str(result.run["repaired"]))
        table.add_row(result.account.name, *counts, "\n".join(notes) or "Book and exchange agree.")
    console = Console()
    # Narrower than this, in a pipe, nothing could be read.
    Console(width=max(console.width, 120)).print(table)
