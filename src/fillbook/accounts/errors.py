"""Why an account or its key is refused."""

from fillbook.kernel.errors import Conflict, FillbookError, InvalidInput


class KeyMayWithdraw(InvalidInput):
    code = "key_may_withdraw"


class KeyCannotTrade(InvalidInput):
    code = "key_cannot_trade"


class KeysRequired(InvalidInput):
    code = "keys_required"


class PassphraseRequired(InvalidInput):
    code = "passphrase_required"


class PaperTakesNoKeys(InvalidInput):
    code = "paper_takes_no_keys"


class KeyAlreadyUsed(Conflict):
    code = "key_already_used"


class InvalidAccount(InvalidInput):
    code = "invalid_account"


class VaultError(FillbookError):
    """A secret cannot be read. No message ever holds any of it."""

    code = "vault"
    status = 500


class MasterKeyLost(VaultError):
    code = "master_key_lost"


class CiphertextMoved(VaultError):
    code = "ciphertext_moved"


class UnsafeKeyFile(VaultError):
    code = "unsafe_key_file"


class UnusableMasterKey(VaultError):
    code = "unusable_master_key"


class AccountInUse(Conflict):
    """An account with live orders or positions: without its key nobody here could end them."""

    code = "account_in_use"
