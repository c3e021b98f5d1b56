"""What may be set, and what is refused with a reason."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from fillbook.accounts.core import Environment
from fillbook.app.settings import Settings
from fillbook.market.core import VenueName


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FILLBOOK_DATA_DIR", str(tmp_path))


def test_the_database_is_a_file_in_the_data_directory_unless_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert Settings().resolved_database_url == f"sqlite:///{tmp_path}/fillbook.db"
    monkeypatch.setenv("FILLBOOK_DATABASE_URL", "postgresql://u:p4ssw0rd@h/db")
    settings = Settings()
    assert settings.resolved_database_url == "postgresql://u:p4ssw0rd@h/db"
    assert "p4ssw0rd" not in repr(settings)


def test_master_keys_are_a_list_and_do_not_print(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FILLBOOK_MASTER_KEYS", "first-key, second-key")
    settings = Settings()
    assert [key.get_secret_value() for key in settings.master_keys] == ["first-key", "second-key"]
    assert "first-key" not in repr(settings)


def test_a_demo_venue_may_live_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FILLBOOK_VENUE_URLS", '{"binance:demo": "http://127.0.0.1:9001"}')
    settings = Settings()
    assert settings.venue_url(VenueName.BINANCE, Environment.DEMO) == "http://127.0.0.1:9001"
    assert settings.venue_url(VenueName.BINANCE, Environment.LIVE) is None


def test_a_live_venue_elsewhere_needs_a_word_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FILLBOOK_VENUE_URLS", '{"okx:live": "http://127.0.0.1:9001"}')
    with pytest.raises(ValidationError, match="FILLBOOK_ALLOW_FAKE_LIVE=1"):
        Settings()
    monkeypatch.setenv("FILLBOOK_ALLOW_FAKE_LIVE", "1")
    assert Settings().has_fake_live


@pytest.mark.parametrize(
    "urls",
    ["nonsense", "[]", '{"kraken:live": "http://h"}', '{"okx": "http://h"}', '{"okx:demo": "ftp://h"}'],
)
def test_venue_urls_that_make_no_sense_are_refused(urls: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FILLBOOK_VENUE_URLS", urls)
    with pytest.raises(ValidationError, match="FILLBOOK_VENUE_URLS"):
        Settings()
