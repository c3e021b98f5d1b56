"""Passwords: argon2id, and nothing that tells a missing user from a wrong password by time."""

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from fillbook.kernel.errors import InvalidInput

MIN_LENGTH = 10
MAX_LENGTH = 200

_HASHER = PasswordHasher()
_NOBODY = "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHQxMjM0NTY3OA$kx0Ww2vSSGUhTWXgYYBXcgRYCZRIWWbnmbOnmtxDSVo"


class WeakPassword(InvalidInput):
    code = "weak_password"


def hash_password(password: str) -> str:
    """The argon2id hash of a password; takes some 50 ms. Raises `WeakPassword`."""
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        raise WeakPassword(f"A password has {MIN_LENGTH} to {MAX_LENGTH} characters.")
    return _HASHER.hash(password)


def password_fits(stored: str | None, password: str) -> bool:
    """Whether a password is the stored one; takes as long for a user who has none."""
    try:
        return _HASHER.verify(stored or _NOBODY, password) and stored is not None
    except (VerificationError, InvalidHashError):
        return False


def needs_rehash(stored: str) -> bool:
    return _HASHER.check_needs_rehash(stored)
