"""Passwords are kept as argon2id, and a missing user is not told from a wrong password."""

import pytest

from fillbook.identity.passwords import WeakPassword, hash_password, needs_rehash, password_fits


def test_a_password_fits_its_own_hash_alone() -> None:
    stored = hash_password("correct horse battery")
    assert stored.startswith("$argon2id$")
    assert password_fits(stored, "correct horse battery")
    assert not password_fits(stored, "correct horse batterY")
    assert not needs_rehash(stored)


def test_nobody_has_no_password() -> None:
    assert not password_fits(None, "anything at all")


def test_a_hash_that_is_none_fits_nothing() -> None:
    assert not password_fits("$2b$12$notargon", "anything at all")


@pytest.mark.parametrize("password", ["", "short", "x" * 201])
def test_weak_passwords_are_refused(password: str) -> None:
    with pytest.raises(WeakPassword):
        hash_password(password)
