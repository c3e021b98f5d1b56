"""Messages as the venues send them, and a clock that stands still until it is told."""

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

RECORDED = Path(__file__).resolve().parents[4].parent / "shared" / "recorded" / "binance"


@pytest.fixture
def recorded() -> Callable[[str], Any]:
    def read(name: str) -> Any:
        path = RECORDED / f"{name}.json"
        if not path.exists():
            pytest.skip("recorded venue messages lie beside the checkout")
        return json.loads(path.read_text())

    return read


class ManualClock:
    """Stands still; a sleep moves it on at once."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self.moment

    def elapsed_s(self) -> float:
        return self.moment.timestamp()

    def advance(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.advance(seconds)
        await asyncio.sleep(0)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()
