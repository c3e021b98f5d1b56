"""Settings for a command: the environment's, with what the command line says on top."""

from typing import Any

from fillbook.app.logging import SecretRedactor, configure_logging
from fillbook.app.settings import Settings


def load(**chosen: Any) -> tuple[Settings, SecretRedactor]:
    """The settings, with logging set up and their secrets hidden from it."""
    settings = Settings(**{name: value for name, value in chosen.items() if value is not None})
    redactor = configure_logging(settings.log_level, settings.log_format)
    redactor.hide(key.get_secret_value() for key in settings.master_keys)
    return settings, redactor
