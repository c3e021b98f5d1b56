"""The vault: secrets at rest, each bound to the row and the field that it belongs to.

A key ring of Fernet keys: the first encrypts, all decrypt. Inside every ciphertext stands its context (the
row's uid, the field, the purpose), so that one that is moved to another row or column is refused there.
"""

import hmac
import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson
from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from fillbook.accounts.core import Credentials
from fillbook.accounts.errors import CiphertextMoved, MasterKeyLost, UnsafeKeyFile, UnusableMasterKey

KEY_FILE = "master.keys"
_FORMAT = 1


@dataclass(frozen=True, slots=True)
class SecretContext:
    """Where a ciphertext belongs: `uid` of its row, the column, and what it is for."""

    uid: str
    field: str
    purpose: str = "exchange"


@dataclass(frozen=True, slots=True)
class SealedCredentials:
    """An exchange key as its account's row keeps it."""

    encrypted_api_key: str
    encrypted_secret_key: str
    encrypted_passphrase: str | None


class Vault:
    """Raises `UnusableMasterKey` for keys that are none. Its repr shows nothing."""

    def __init__(self, master_keys: Sequence[str]) -> None:
        if not master_keys:
            raise UnusableMasterKey("FILLBOOK_MASTER_KEYS is empty: the vault needs at least one key.")
        try:
            self._keys = {_fingerprint(key): Fernet(key) for key in master_keys}
            self._ring = MultiFernet([Fernet(key) for key in master_keys])
        except ValueError as error:
            raise UnusableMasterKey(
                "A master key is 32 bytes in URL-safe base64: correct FILLBOOK_MASTER_KEYS or the key file."
            ) from error

    def __repr__(self) -> str:
        return "Vault(***)"

    @property
    def fingerprints(self) -> tuple[str, ...]:
        """What the keys of the ring are recognised by; they tell nothing of the keys."""
        return tuple(self._keys)

    def key_of(self, ciphertext: str, context: SecretContext) -> str:
        """The fingerprint of the key that opens a ciphertext. Raises as `decrypt` does."""
        self.decrypt(ciphertext, context)
        return next(mark for mark, key in self._keys.items() if _opens(key, ciphertext))

    def encrypt(self, secret: str, context: SecretContext) -> str:
        payload = [_FORMAT, context.uid, context.field, context.purpose, secret]
        return self._ring.encrypt(orjson.dumps(payload)).decode()

    def decrypt(self, ciphertext: str, context: SecretContext) -> str:
        """The secret. Raises `MasterKeyLost` when no key of the ring opens it, `CiphertextMoved` when it was
        made for another row or column."""
        try:
            payload = orjson.loads(self._ring.decrypt(ciphertext.encode()))
        except InvalidToken:
            raise MasterKeyLost(
                f"The stored {context.field} cannot be read with the present master keys: bring the old key back "
                "into FILLBOOK_MASTER_KEYS or the key file, or enter the exchange key again."
            ) from None
        if payload[:4] != [_FORMAT, context.uid, context.field, context.purpose]:
            raise CiphertextMoved(
                f"The stored {context.field} was made for another account or column: the database was altered. "
                "Enter the exchange key again, and look at the audit log."
            )
        return str(payload[4])

    def rotate(self, ciphertext: str) -> str:
        """The same secret under the first key of the ring."""
        try:
            return self._ring.rotate(ciphertext.encode()).decode()
        except InvalidToken:
            raise MasterKeyLost("A stored secret cannot be read with the present master keys.") from None

    def seal(self, uid: str, credentials: Credentials) -> SealedCredentials:
        """An exchange key, encrypted for one account's row."""
        passphrase = credentials.passphrase
        return SealedCredentials(
            self.encrypt(credentials.api_key, SecretContext(uid, "encrypted_api_key")),
            self.encrypt(credentials.secret, SecretContext(uid, "encrypted_secret_key")),
            None
            if passphrase is None
            else self.encrypt(passphrase, SecretContext(uid, "encrypted_passphrase")),
        )

    def open(self, uid: str, sealed: SealedCredentials) -> Credentials:
        passphrase = sealed.encrypted_passphrase
        return Credentials(
            self.decrypt(sealed.encrypted_api_key, SecretContext(uid, "encrypted_api_key")),
            self.decrypt(sealed.encrypted_secret_key, SecretContext(uid, "encrypted_secret_key")),
            None
            if passphrase is None
            else self.decrypt(passphrase, SecretContext(uid, "encrypted_passphrase")),
        )


def _fingerprint(master_key: str) -> str:
    return hmac.digest(master_key.encode(), b"fillbook master key", "sha256").hex()[:16]


def _opens(key: Fernet, ciphertext: str) -> bool:
    try:
        key.decrypt(ciphertext.encode())
    except InvalidToken:
        return False
    return True


def find_vault(given: Sequence[str], data_dir: Path) -> Vault | None:
    """A vault with the given keys, or those of the key file; None where there are none. Makes no key.

    Raises `UnsafeKeyFile`, `UnusableMasterKey`.
    """
    path = data_dir / KEY_FILE
    keys = list(given) or (_read_key_file(path) if path.exists() else [])
    return Vault(keys) if keys else None


def load_master_keys(given: Sequence[str], data_dir: Path) -> list[str]:
    """The given keys, or those of the key file, which is made with mode 0600 at the first start.

    Raises `UnsafeKeyFile` when anybody but the owner may read the file.
    """
    if given:
        return list(given)
    path = data_dir / KEY_FILE
    data_dir.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return _read_key_file(path)
    with os.fdopen(handle, "w") as file:
        key = Fernet.generate_key().decode()
        file.write(key + "\n")
        file.flush()
        os.fsync(file.fileno())
    return [key]


def _read_key_file(path: Path) -> list[str]:
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise UnsafeKeyFile(
            f"Others than its owner may read {path}: run `chmod 600 {path}`, then start again."
        )
    keys = [line.strip() for line in path.read_text().splitlines() if line.strip()]
    if not keys:
        raise UnusableMasterKey(f"{path} is empty: restore it from its backup.")
    return keys
