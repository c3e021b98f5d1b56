"""`fillbook config ...`: what the exchanges cannot tell, written to a file and taken in from one."""

import asyncio
import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from fillbook.accounts.vault import Vault, find_vault
from fillbook.app.cli.settings import load
from fillbook.app.config.document import Document, from_bytes, to_bytes
from fillbook.app.config.errors import ConfigUnreadable, ServerRuns
from fillbook.app.config.service import check_keys, export_config, import_config
from fillbook.app.settings import Settings
from fillbook.fleet.directory_lock import DirectoryLock
from fillbook.fleet.leases import live_leases
from fillbook.kernel.clock import SystemClock
from fillbook.storage import migrate
from fillbook.storage.database import normalise_url
from fillbook.storage.unit import Database, Unit

app = typer.Typer(help="People, accounts and strategies as one file.", no_args_is_help=True)


@app.command("export")
def export(
    output: Annotated[
        Path | None, typer.Option(help="The file to write; standard output without it.")
    ] = None,
) -> None:
    """Write the configuration out. Exchange keys stay encrypted; a server may run meanwhile."""
    settings, _ = load()
    document = to_bytes(asyncio.run(_export(settings)))
    if output is None:
        sys.stdout.buffer.write(document)
        return
    _write_private(output, document)
    typer.echo(f"written to {output}", err=True)


@app.command("import")
def import_(file: Annotated[Path, typer.Argument(help="A file that `config export` wrote.")]) -> None:
    """Take a configuration into an empty database: all of it, or nothing."""
    settings, _ = load()
    try:
        text = file.read_bytes()
    except OSError as error:
        raise ConfigUnreadable(f"{file} cannot be read: {error.strerror}.") from error
    document = from_bytes(text)
    vault = vault_of(settings)
    check_keys(document, vault)
    with alone(settings):
        counts = asyncio.run(_import(settings, document, vault))
    for name, count in counts.items():
        typer.echo(f"{name.replace('_', ' ')}: {count}")


async def _export(settings: Settings) -> Document:
    database = Database.connect(settings.resolved_database_url, SystemClock())
    try:
        await migrate.require_head(database.engine)
        async with database.read() as unit:
            return await export_config(unit, vault_of(settings))
    finally:
        await database.close()


async def _import(settings: Settings, document: Document, vault: Vault | None) -> dict[str, int]:
    database = Database.connect(settings.resolved_database_url, SystemClock())

    async def work(unit: Unit) -> dict[str, int]:
        await refuse_beside_a_server(unit)
        return await import_config(unit, document, vault)

    try:
        if database.engine.dialect.name == "sqlite" and await migrate.current(database.engine) is None:
            await migrate.upgrade(database.engine)
        await migrate.require_head(database.engine)
        return await database.run(work)
    finally:
        await database.close()


@contextlib.contextmanager
def alone(settings: Settings) -> Iterator[bool]:
    """The only process on an embedded database, which is True; raises `DirectoryInUse` where another one runs."""
    url = normalise_url(settings.resolved_database_url)
    if url.get_backend_name() != "sqlite":
        yield False
        return
    with DirectoryLock(Path(url.database or "").parent):
        yield True


async def refuse_beside_a_server(unit: Unit) -> None:
    """Raises `ServerRuns` while a server holds leases in this database (not asked of an embedded one, whose
    directory is locked)."""
    held = await live_leases(unit) if unit.dialect != "sqlite" else []
    if held:
        raise ServerRuns(
            f"A server works on this database ({held[0].holder}): stop it, and wait 15 seconds if it was killed."
        )


def vault_of(settings: Settings) -> Vault | None:
    return find_vault([key.get_secret_value() for key in settings.master_keys], settings.data_dir)


def _write_private(path: Path, content: bytes) -> None:
    """A whole new file that only its owner may read, in the place of what was there."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
