import random
import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fillbook.orders.core.client_ids import (
    LENGTH,
    Origin,
    grid_leg,
    grid_line_and_cycle,
    make_client_order_id,
    new_code,
    new_installation_id,
    numbered_leg,
    parse_client_order_id,
)

ALPHABET = string.digits + string.ascii_lowercase
# The narrowest rules of the four venues: OKX takes 32 letters and digits, Bitget 32 of a wider set.
EVERY_VENUE = re.compile(r"[0-9a-zA-Z]{1,32}")
SEEDS = st.integers(0, 2**32)


def _id(seed: int, origin: Origin = Origin.GRID, leg: str = "0a1b") -> str:
    rng = random.Random(seed)
    return str(make_client_order_id(new_installation_id(rng), origin, new_code(rng), leg, rng))


@given(seed=SEEDS, origin=st.sampled_from(Origin), leg=st.text(ALPHABET, min_size=1, max_size=4))
def test_an_id_says_whose_order_it_is(seed: int, origin: Origin, leg: str) -> None:
    rng = random.Random(seed)
    installation, code = new_installation_id(rng), new_code(rng)

    made = make_client_order_id(installation, origin, code, leg, rng)
    parsed = parse_client_order_id(str(made))

    assert parsed == made
    assert (made.installation, made.origin, made.code, made.leg) == (
        installation,
        origin,
        code,
        leg.rjust(4, "0"),
    )


@given(seed=SEEDS)
def test_an_id_fits_every_venue(seed: int) -> None:
    text = _id(seed)

    assert len(text) == LENGTH == 30
    assert set(text) <= set(ALPHABET)
    assert EVERY_VENUE.fullmatch(text)


@given(seed=SEEDS)
def test_any_one_wrong_character_is_found(seed: int) -> None:
    text = _id(seed)

    for place in range(LENGTH):
        for char in ALPHABET:
            if char != text[place]:
                assert parse_client_order_id(text[:place] + char + text[place + 1 :]) is None


@pytest.mark.parametrize(
    "text",
    [None, "", "fb", "x-MGFCMH4U123456789012345678", "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123", "é" * 30],
)
def test_a_foreign_id_is_not_ours(text: str | None) -> None:
    assert parse_client_order_id(text) is None


def test_an_upper_case_id_is_not_ours() -> None:
    assert parse_client_order_id(_id(1).upper()) is None


def test_ids_of_one_leg_differ_by_sixty_random_bits() -> None:
    rng = random.Random(5)
    made = {make_client_order_id("abcd", Origin.STRATEGY, "abcdef", "0001", rng).nonce for _ in range(2000)}

    assert len(made) == 2000
    assert {len(nonce) for nonce in made} == {12}
    # Each of the 12 places takes all 32 values of the alphabet: no bit is lost.
    assert {len({nonce[place] for nonce in made}) for place in range(12)} == {32}


@pytest.mark.parametrize(
    ("installation", "code", "leg"),
    [("abc", "abcdef", "1"), ("abcd", "abcdeF", "1"), ("abcd", "abcdef", "12345"), ("abcd", "abcdef", "a-b")],
)
def test_a_part_that_does_not_fit_its_place_is_refused(installation: str, code: str, leg: str) -> None:
    with pytest.raises(ValueError, match="characters"):
        make_client_order_id(installation, Origin.MANUAL, code, leg, random.Random(1))


@given(line=st.integers(0, 1295), cycle=st.integers(0, 10**6))
def test_a_grid_leg_names_its_line_and_cycle(line: int, cycle: int) -> None:
    assert grid_line_and_cycle(grid_leg(line, cycle)) == (line, cycle % 1296)


def test_numbered_legs_are_base_36_and_bounded() -> None:
    assert [numbered_leg(number) for number in (0, 29, 36, 36**4 - 1)] == ["0000", "000t", "0010", "zzzz"]
    for number in (-1, 36**4):
        with pytest.raises(ValueError, match="does not fit"):
            numbered_leg(number)
