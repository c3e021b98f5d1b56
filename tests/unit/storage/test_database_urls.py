"""Which database URLs are understood, and that none shows its password."""

import pytest

from fillbook.storage.database import UnusableDatabaseUrl, create_engine, normalise_url


@pytest.mark.parametrize(
    ("given", "driver"),
    [
        ("sqlite:///a.db", "sqlite+aiosqlite"),
        ("sqlite+aiosqlite:///a.db", "sqlite+aiosqlite"),
        ("postgresql://u@h/d", "postgresql+asyncpg"),
        ("postgres://u@h/d", "postgresql+asyncpg"),
        ("postgresql+psycopg2://u@h/d", "postgresql+asyncpg"),
        ("mysql://u@h/d", "mysql+asyncmy"),
        ("mariadb://u@h/d", "mariadb+asyncmy"),
        ("mysql+pymysql://u@h/d", "mysql+asyncmy"),
    ],
)
def test_plain_urls_get_their_asynchronous_driver(given: str, driver: str) -> None:
    assert normalise_url(given).drivername == driver


@pytest.mark.parametrize("url", ["", "nonsense", "oracle://u:hidden@h/d", "sqlite://", "sqlite:///:memory:"])
def test_what_cannot_hold_the_books_is_refused(url: str) -> None:
    with pytest.raises(UnusableDatabaseUrl) as raised:
        normalise_url(url)
    assert "hidden" not in str(raised.value)


def test_an_engine_does_not_show_its_password() -> None:
    assert "hidden" not in repr(create_engine("postgresql://u:hidden@h/d"))
