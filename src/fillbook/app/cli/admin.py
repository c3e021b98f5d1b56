"""`fillbook admin ...`: people and tokens, for scripts and for the first start."""

import asyncio
import random
import sys
from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

import typer

from fillbook.app.cli.settings import load
from fillbook.identity import service
from fillbook.identity.core import Role, TokenScope
from fillbook.kernel.clock import SystemClock
from fillbook.kernel.errors import NotFound
from fillbook.storage import migrate
from fillbook.storage.unit import Database, Unit

app = typer.Typer(help="People and API tokens.", no_args_is_help=True)

T = TypeVar("T")


@app.command("create-user")
def create_user(
    email: Annotated[str, typer.Option()],
    username: Annotated[str, typer.Option()],
    role: Annotated[Role, typer.Option()] = Role.USER,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from stdin.")
    ] = False,
) -> None:
    """Make a person. Without --password-stdin the person has no password and uses tokens only."""
    password = sys.stdin.readline().rstrip("\n") if password_stdin else None

    async def work(unit: Unit) -> int:
        user = await service.create_user(unit, email=email, username=username, password=password, role=role)
        return user.id

    typer.echo(f"user {_run(work)}")


@app.command("create-token")
def create_token(
    user: Annotated[str, typer.Option(help="Email or username.")],
    scopes: Annotated[str, typer.Option(help="Of read, trade, admin; comma-separated.")] = "read,trade",
    name: Annotated[str, typer.Option(help="What it is for.")] = "command line",
) -> None:
    """Make an API token and print it, alone: it is shown this once."""
    try:
        wanted = [TokenScope(word.strip()) for word in scopes.split(",") if word.strip()]
    except ValueError as error:
        raise typer.BadParameter(f"scopes are {', '.join(TokenScope)}", param_hint="--scopes") from error

    async def work(unit: Unit) -> str:
        found = await service.find_user(unit, user)
        if found is None:
            raise NotFound(f"There is no user {user}: make one with `fillbook admin create-user`.")
        _, token = await service.create_token(
            unit, found, name=name, scopes=wanted, rng=random.SystemRandom()
        )
        return token

    typer.echo(_run(work))


def _run(work: Callable[[Unit], Awaitable[T]]) -> T:
    """Do something in one transaction on the configured database, which is made when it is embedded and new."""
    settings, _ = load()

    async def act() -> T:
        database = Database.connect(settings.resolved_database_url, SystemClock())
        try:
            if database.engine.dialect.name == "sqlite" and await migrate.current(database.engine) is None:
                await migrate.upgrade(database.engine)
            await migrate.require_head(database.engine)
            return await database.run(work)
        finally:
            await database.close()

    return asyncio.run(act())
