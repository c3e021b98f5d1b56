"""Tokens hold the bits that they promise."""

import random

from fillbook.kernel.tokens import TOKEN_LENGTH, hash_token, new_token, visible_prefix


def test_a_token_has_at_least_160_random_bits() -> None:
    assert TOKEN_LENGTH * 5 >= 160
    tokens = {new_token(random.Random(seed)) for seed in range(200)}
    assert len(tokens) == 200
    assert all(len(token) == TOKEN_LENGTH and token.isalnum() for token in tokens)


def test_a_prefix_does_not_give_the_token_away() -> None:
    token = new_token(random.Random(1))
    assert token.startswith(visible_prefix(token))
    assert (TOKEN_LENGTH - len(visible_prefix(token))) * 5 >= 160
    assert len(hash_token(token)) == 64
