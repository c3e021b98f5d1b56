"""How routes get the services they call: by type, from the application that was made with them.

There is no global: two applications in one process have two databases.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from fastapi import FastAPI, Request

from fillbook.kernel.errors import FillbookError

T = TypeVar("T")


class NotProvided(FillbookError):
    code = "not_available"
    status = 503


def provide(app: FastAPI, services: Mapping[Any, object]) -> None:
    """Give an application its services, each under the type or protocol that routes ask for."""
    app.state.provided = dict(services)


def provided(key: Callable[..., T]) -> Callable[[Request], Any]:
    """A dependency for `Depends`: the service under that type. A service that was not given is a 503."""

    async def find(request: Request) -> T:
        service: T | None = request.app.state.provided.get(key)
        if service is None:
            raise NotProvided(f"This server runs without {getattr(key, '__name__', key)}.")
        return service

    return find
