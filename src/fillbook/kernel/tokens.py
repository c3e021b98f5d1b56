"""Random keys for people and machines, and the form in which they are kept.

A key has at least 160 bits from the injected source (`random.SystemRandom` in the program), so a plain SHA-256
keeps it: there is nothing to guess. What a person sees of it later is the prefix.
"""

import hashlib
import random

_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"  # 32 characters, none of which is taken for another
TOKEN_LENGTH = 40
PREFIX_LENGTH = 8


def new_token(rng: random.Random, length: int = TOKEN_LENGTH) -> str:
    """`length` characters of 5 random bits each."""
    bits = rng.getrandbits(5 * length)
    return "".join(_ALPHABET[(bits >> shift) & 31] for shift in range(0, 5 * length, 5))


def hash_token(token: str) -> str:
    """SHA-256 as 64 hex characters."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def visible_prefix(token: str) -> str:
    return token[:PREFIX_LENGTH]
