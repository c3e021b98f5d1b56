import pytest

from fillbook.venues.sim.wire.requests import flat, read_json, read_pairs
from fillbook.venues.sim.wire.signing import base64_signature, hex_signature, is_signature


def test_pairs_are_decoded_and_the_last_of_a_name_counts():
    assert read_pairs("a=1&b=x%20y&c=p+q&a=2") == {"a": "2", "b": "x y", "c": "p q"}
    assert read_pairs("") == {}


def test_a_body_that_is_not_json_is_a_value_error():
    assert read_json("") is None
    with pytest.raises(ValueError):
        read_json("{half")


def test_single_values_of_a_body_are_text():
    assert flat({"a": 1, "b": True, "c": "x", "d": [1], "e": None}) == {"a": "1", "b": "true", "c": "x"}


def test_signatures_are_those_of_rfc_4231():
    # Test case 2 of RFC 4231: HMAC-SHA-256 with the key "Jefe".
    expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    made = hex_signature("Jefe", "what do ya want for nothing?")
    assert made == expected
    assert (
        base64_signature("Jefe", "what do ya want for nothing?")
        == "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM="
    )
    assert is_signature(expected, made)
    assert not is_signature(expected, "é" + made[1:])
