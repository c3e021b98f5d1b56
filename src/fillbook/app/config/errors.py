"""Why a configuration cannot be written out or taken in. Nothing is half done."""

from fillbook.kernel.errors import Conflict, InvalidInput


class ConfigUnreadable(InvalidInput):
    """Not a document of ours at all, or cut short."""

    code = "config_unreadable"


class ConfigVersionUnknown(InvalidInput):
    code = "config_version_unknown"


class ConfigDamaged(InvalidInput):
    """Once ours, and changed since."""

    code = "config_damaged"


class MasterKeyUnknown(InvalidInput):
    """Its exchange keys are encrypted with a master key that this server does not have."""

    code = "master_key_unknown"


class ConfigCollides(Conflict):
    code = "config_collides"


class ServerRuns(Conflict):
    code = "server_runs"
