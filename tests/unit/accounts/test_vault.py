"""The vault: a ciphertext opens where it was made for, with a key of the ring, and nowhere else."""

import stat
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from fillbook.accounts.core import Credentials
from fillbook.accounts.errors import CiphertextMoved, MasterKeyLost, UnsafeKeyFile, UnusableMasterKey
from fillbook.accounts.vault import SealedCredentials, SecretContext, Vault, load_master_keys

CREDENTIALS = Credentials("the-api-key", "the-secret", "the-passphrase")


def new_vault() -> Vault:
    return Vault([Fernet.generate_key().decode()])


def test_sealed_credentials_open_where_they_belong() -> None:
    vault = new_vault()
    assert vault.open("uid-1", vault.seal("uid-1", CREDENTIALS)) == CREDENTIALS


def test_a_ciphertext_moved_to_another_row_is_refused() -> None:
    vault = new_vault()
    with pytest.raises(CiphertextMoved):
        vault.open("uid-2", vault.seal("uid-1", CREDENTIALS))


def test_a_ciphertext_moved_to_another_column_is_refused() -> None:
    vault = new_vault()
    sealed = vault.seal("uid-1", CREDENTIALS)
    swapped = SealedCredentials(sealed.encrypted_secret_key, sealed.encrypted_api_key, None)
    with pytest.raises(CiphertextMoved):
        vault.open("uid-1", swapped)


def test_a_ciphertext_made_for_another_purpose_is_refused() -> None:
    vault = new_vault()
    ciphertext = vault.encrypt("JBSWY3DP", SecretContext("user-1", "totp_secret", "two-factor"))
    with pytest.raises(CiphertextMoved):
        vault.decrypt(ciphertext, SecretContext("user-1", "totp_secret", "exchange"))


def test_without_its_master_key_a_secret_is_lost_and_the_sentence_says_what_to_do() -> None:
    sealed = new_vault().seal("uid-1", CREDENTIALS)
    with pytest.raises(MasterKeyLost, match="FILLBOOK_MASTER_KEYS"):
        new_vault().open("uid-1", sealed)


def test_the_first_key_encrypts_and_all_decrypt() -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    context = SecretContext("uid-1", "encrypted_api_key")
    before = Vault([old]).encrypt("k", context)
    both = Vault([new, old])
    assert both.decrypt(before, context) == "k"
    assert Vault([new]).decrypt(both.rotate(before), context) == "k"
    with pytest.raises(MasterKeyLost):
        Vault([old]).decrypt(both.rotate(before), context)


def test_no_secret_shows_in_a_repr_or_an_error() -> None:
    key = Fernet.generate_key().decode()
    vault = Vault([key])
    sealed = vault.seal("uid-1", CREDENTIALS)
    shown = f"{vault!r} {vault} {sealed!r} {CREDENTIALS!r} {CREDENTIALS}"
    with pytest.raises(CiphertextMoved) as raised:
        vault.open("uid-2", sealed)
    shown += f"{raised.value!r} {raised.value}"
    for secret in (key, "the-api-key", "the-secret", "the-passphrase"):
        assert secret not in shown


@pytest.mark.parametrize("keys", [[], [""], ["not a key"], ["c2hvcnQ="]])
def test_keys_that_are_none_are_refused_without_being_shown(keys: list[str]) -> None:
    with pytest.raises(UnusableMasterKey) as raised:
        Vault(keys)
    assert "not a key" not in str(raised.value)


def test_the_key_file_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    made = load_master_keys([], data_dir)
    mode = stat.S_IMODE((data_dir / "master.keys").stat().st_mode)
    assert mode == 0o600
    assert load_master_keys([], data_dir) == made
    Vault(made)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_key_file_that_others_can_reach_is_refused(tmp_path: Path, mode: int) -> None:
    load_master_keys([], tmp_path)
    (tmp_path / "master.keys").chmod(mode)
    with pytest.raises(UnsafeKeyFile, match="chmod 600"):
        load_master_keys([], tmp_path)


def test_an_empty_key_file_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "master.keys"
    path.touch(0o600)
    with pytest.raises(UnusableMasterKey, match="restore"):
        load_master_keys([], tmp_path)
    assert path.read_text() == ""


def test_given_keys_need_no_file(tmp_path: Path) -> None:
    assert load_master_keys(["one", "two"], tmp_path) == ["one", "two"]
    assert list(tmp_path.iterdir()) == []
