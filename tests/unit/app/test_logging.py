"""A planted secret reaches no log line, by whatever way it comes."""

import io
import logging
from collections.abc import Iterator

import pytest
import structlog

from fillbook.app.logging import configure_logging

PLANTED = "pl4nted-s3cret"


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    stream = io.StringIO()
    configure_logging("debug", "json", stream).hide([PLANTED])
    yield stream
    root.handlers = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def raise_with_secret() -> None:
    raise ValueError(f"signature of {PLANTED} refused")


def test_a_planted_secret_reaches_no_line(written: io.StringIO) -> None:
    log = structlog.get_logger("test")
    log.info(
        f"event {PLANTED}",
        note=PLANTED,
        nested={"deep": [PLANTED, {"er": PLANTED}]},
        thing=ValueError(PLANTED),
    )
    logging.getLogger("library").warning("said %s", PLANTED, extra={"body": PLANTED})
    try:
        raise_with_secret()
    except ValueError:
        log.exception("failed")
        logging.getLogger("library").exception("failed too")
    lines = written.getvalue()
    assert lines.count("\n") >= 4
    assert PLANTED not in lines
    assert "ValueError" in lines


def test_what_says_secret_or_looks_like_a_token_is_hidden_unannounced(
    written: io.StringIO,
) -> None:
    log = structlog.get_logger("test")
    log.info("placed", api_key="short1", headers={"Authorization": "Bearer abcdef1"}, order_id=12345)
    log.info("sent 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b")
    lines = written.getvalue()
    assert "short1" not in lines
    assert "abcdef1" not in lines
    assert "9f86d081884c7d65" not in lines
    assert "12345" in lines
