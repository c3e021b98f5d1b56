"""What a person may set: `FILLBOOK_*` environment variables, read once at the start.

Secrets are `SecretStr`, so that printing the settings shows none. `venue_urls` maps `venue:environment` to a
base URL that stands in for all of that venue's addresses; for `live` that needs a word of its own.
"""

import json
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from fillbook.accounts.core import Environment
from fillbook.market.core import VenueName


def default_data_dir() -> Path:
    return Path("~/.local/share/fillbook").expanduser()


class Settings(BaseSettings):
    """Raises pydantic's `ValidationError`, whose messages name the variable and what to change."""

    model_config = SettingsConfigDict(
        env_prefix="FILLBOOK_", extra="ignore", frozen=True, env_ignore_empty=True
    )

    data_dir: Path = Field(default_factory=default_data_dir)
    database_url: SecretStr = SecretStr("")
    master_keys: Annotated[tuple[SecretStr, ...], NoDecode] = ()
    venue_urls: Annotated[dict[str, str], NoDecode] = Field(default_factory=dict)
    allow_fake_live: bool = False
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=1, le=65535)
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["auto", "json", "text"] = "auto"
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = ("127.0.0.1", "::1")

    @field_validator("master_keys", "trusted_proxies", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        """Comma-separated text, as environment variables have it."""
        return (
            tuple(part.strip() for part in value.split(",") if part.strip())
            if isinstance(value, str)
            else value
        )

    @field_validator("log_level", mode="before")
    @classmethod
    def _lower(cls, value: Any) -> Any:
        return value.lower() if isinstance(value, str) else value

    @field_validator("data_dir")
    @classmethod
    def _expand(cls, value: Path) -> Path:
        return value.expanduser()

    @field_validator("venue_urls", mode="before")
    @classmethod
    def _read_venue_urls(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        try:
            read = json.loads(value)
        except json.JSONDecodeError as error:
            raise ValueError(
                'FILLBOOK_VENUE_URLS must be JSON such as {"binance:demo": "http://127.0.0.1:9001"}'
            ) from error
        if not isinstance(read, dict):
            raise ValueError("FILLBOOK_VENUE_URLS must be a JSON object")
        return read

    @field_validator("venue_urls")
    @classmethod
    def _check_venue_urls(cls, value: dict[str, str]) -> dict[str, str]:
        for key, url in value.items():
            venue, _, environment = key.partition(":")
            if venue not in set(VenueName) or environment not in set(Environment):
                raise ValueError(
                    f"FILLBOOK_VENUE_URLS: {key!r} is not venue:environment; venues: {', '.join(VenueName)};"
                    f" environments: {', '.join(Environment)}"
                )
            if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
                raise ValueError(f"FILLBOOK_VENUE_URLS: {key} must be an http or https URL")
        return value

    @model_validator(mode="after")
    def _refuse_fake_live(self) -> Self:
        if self.has_fake_live and not self.allow_fake_live:
            raise ValueError(
                "FILLBOOK_VENUE_URLS names another address for a live venue: live orders would not reach the"
                " exchange. If that is meant, set FILLBOOK_ALLOW_FAKE_LIVE=1; the desk will say so."
            )
        return self

    @property
    def has_fake_live(self) -> bool:
        return any(key.endswith(f":{Environment.LIVE}") for key in self.venue_urls)

    @property
    def resolved_database_url(self) -> str:
        """The database to open: the one that is set, else a file in the data directory."""
        return self.database_url.get_secret_value() or f"sqlite:///{self.data_dir / 'fillbook.db'}"

    def venue_url(self, venue: VenueName, environment: Environment) -> str | None:
        """What stands in for a venue's own addresses, if anything."""
        return self.venue_urls.get(f"{venue}:{environment}")

    @property
    def base_urls(self) -> dict[tuple[VenueName, Environment], str]:
        """Every address that stands in for a venue's own."""
        return {
            (venue, environment): url
            for venue in VenueName
            for environment in Environment
            if (url := self.venue_url(venue, environment)) is not None
        }
