"""Client order ids describe themselves: 30 characters of `[0-9a-z]`, within every venue's limits.

prefix 2, installation 4, origin 1, code 6, leg 4, nonce 12 (60 random bits), check 1. Made once with the
intent and stored before sending, so every retry uses the same id; from the venue's history alone it says
whose order it was. The check (Luhn mod 36) finds any one wrong character.
"""

import random
import string
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

PREFIX = "fb"
LENGTH = 30
LEG_LENGTH = 4
MANUAL_CODE = "manual"
"""The code of an order that a person places without a strategy."""

_ALPHABET = string.digits + string.ascii_lowercase
_VALUE = {char: value for value, char in enumerate(_ALPHABET)}
_BASE = len(_ALPHABET)
_NONCE_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_NONCE_LENGTH = 12
_CODE_LENGTH = 6
_INSTALLATION_LENGTH = 4


class Origin(StrEnum):
    """Who wanted the order."""

    STRATEGY = "s"
    GRID = "g"
    TREND = "t"
    MANUAL = "m"
    RISK = "r"


_ORIGINS = frozenset(origin.value for origin in Origin)


@dataclass(frozen=True, slots=True)
class ClientOrderId:
    """What an id says. `code` is the strategy's or bot's random code, never a row id."""

    installation: str
    origin: Origin
    code: str
    leg: str
    nonce: str

    def __str__(self) -> str:
        body = f"{PREFIX}{self.installation}{self.origin}{self.code}{self.leg}{self.nonce}"
        return body + _check_char(body)


def new_installation_id(rng: random.Random) -> str:
    """4 random characters, drawn once for an installation."""
    return _random_text(rng, _INSTALLATION_LENGTH)


def new_code(rng: random.Random) -> str:
    """6 random characters for a strategy or a bot."""
    return _random_text(rng, _CODE_LENGTH)


def make_client_order_id(
    installation: str, origin: Origin, code: str, leg: str, rng: random.Random
) -> ClientOrderId:
    """A new id; `str()` is what goes to the venue. `leg` of 1 to 4 characters is filled up with zeros.

    Raises `ValueError` for a part that does not fit its place.
    """
    leg = leg.rjust(LEG_LENGTH, "0")
    for text, length in ((installation, _INSTALLATION_LENGTH), (code, _CODE_LENGTH), (leg, LEG_LENGTH)):
        if len(text) != length or not set(text) <= set(_ALPHABET):
            raise ValueError(f"{text!r} is not {length} characters of [0-9a-z]")
    bits = rng.getrandbits(5 * _NONCE_LENGTH)
    nonce = "".join(_NONCE_ALPHABET[(bits >> shift) & 31] for shift in range(0, 5 * _NONCE_LENGTH, 5))
    return ClientOrderId(installation, origin, code, leg, nonce)


@lru_cache(maxsize=8192)
def parse_client_order_id(text: str | None) -> ClientOrderId | None:
    """The parts of an id of ours, of any installation; None for a foreign or damaged one."""
    if text is None or len(text) != LENGTH or not text.startswith(PREFIX):
        return None
    if not set(text) <= set(_ALPHABET) or text[6] not in _ORIGINS:
        return None
    if text[-1] != _check_char(text[:-1]):
        return None
    return ClientOrderId(text[2:6], Origin(text[6]), text[7:13], text[13:17], text[17:29])


def numbered_leg(number: int) -> str:
    """The leg of the n-th line of an alert, in base 36."""
    return _to_base36(number, LEG_LENGTH)


def grid_leg(line: int, cycle: int) -> str:
    """The leg of a grid order: its line, and its cycle modulo 1296, two base-36 characters each."""
    return _to_base36(line, 2) + _to_base36(cycle % _BASE**2, 2)


def grid_line_and_cycle(leg: str) -> tuple[int, int]:
    """The line, and the cycle modulo 1296, of a grid leg."""
    return int(leg[:2], _BASE), int(leg[2:], _BASE)


def _to_base36(number: int, length: int) -> str:
    if not 0 <= number < _BASE**length:
        raise ValueError(f"{number} does not fit {length} base-36 characters")
    return "".join(_ALPHABET[number // _BASE**place % _BASE] for place in reversed(range(length)))


def _random_text(rng: random.Random, length: int) -> str:
    return "".join(_ALPHABET[rng.randrange(_BASE)] for _ in range(length))


def _check_char(body: str) -> str:
    """Luhn mod N: from the right, every other value is doubled and its two base-36 digits are added."""
    total = 0
    for place, char in enumerate(reversed(body)):
        value = _VALUE[char] * (2 if place % 2 == 0 else 1)
        total += value // _BASE + value % _BASE
    return _ALPHABET[-total % _BASE]
