"""The document of a configuration: what is read from bytes, and what is not."""

from typing import Any

import orjson
import pytest

from fillbook.app.config.document import VERSION, Document, from_bytes, to_bytes
from fillbook.app.config.errors import ConfigDamaged, ConfigUnreadable, ConfigVersionUnknown
from fillbook.kernel.errors import FillbookError

DOCUMENT = Document("abcd", ("f00d",), {"users": [{"username": "ann", "n": 1}], "accounts": []})


def test_what_was_written_is_read_as_it_was() -> None:
    assert from_bytes(to_bytes(DOCUMENT)) == DOCUMENT


def test_the_order_of_parts_does_not_matter_to_the_bytes() -> None:
    turned = Document("abcd", ("f00d",), {"accounts": [], "users": [{"n": 1, "username": "ann"}]})
    assert to_bytes(turned) == to_bytes(DOCUMENT)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.99])
def test_a_file_that_was_cut_short_is_unreadable(share: float) -> None:
    whole = to_bytes(DOCUMENT)
    with pytest.raises(ConfigUnreadable):
        from_bytes(whole[: int(len(whole) * share)])


@pytest.mark.parametrize("text", [b"[]", b"{}", b'"x"', b'{"format": "other"}', b"\xff\xfe", b"null"])
def test_a_strangers_file_is_unreadable(text: bytes) -> None:
    with pytest.raises(ConfigUnreadable):
        from_bytes(text)


@pytest.mark.parametrize("version", [VERSION + 1, 0, "1", None])
def test_another_version_is_named(version: Any) -> None:
    content = orjson.loads(to_bytes(DOCUMENT)) | {"version": version}
    with pytest.raises(ConfigVersionUnknown, match=repr(version)):
        from_bytes(orjson.dumps(content))


@pytest.mark.parametrize("place", range(0, len(to_bytes(DOCUMENT)), 7))
def test_a_byte_that_changed_is_noticed_wherever_it_stands(place: int) -> None:
    text = bytearray(to_bytes(DOCUMENT))
    text[place] ^= 1
    with pytest.raises(FillbookError):
        if from_bytes(bytes(text)) == DOCUMENT:
            raise ConfigDamaged("white space alone has changed")


@pytest.mark.parametrize(
    "content",
    [
        {"sections": []},
        {"sections": {"users": {}}},
        {"sections": {"users": ["ann"]}},
        {"installation_id": 7},
        {"master_keys": "f00d"},
    ],
)
def test_a_document_of_another_build_is_damaged(content: dict[str, Any]) -> None:
    given = {"installation_id": "abcd", "master_keys": [], "sections": {}} | content
    with pytest.raises(ConfigDamaged):
        from_bytes(to_bytes(Document(**given)))
