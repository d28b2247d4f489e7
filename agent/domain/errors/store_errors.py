"""What can be wrong with the library, its backups and the place that keeps its key."""

from agent.domain.errors.error_tree import AgentError


class StoreError(AgentError):
    """The encrypted library can't be used as it is."""


class StoreKeyMissing(StoreError):
    """There is a library, but the key that opens it is not in the key home. Never answered by a new library."""

    code = "store.key_missing"


class StoreKeyWrong(StoreError):
    code = "store.key_wrong"


class StoreRecoveryCodeWrong(StoreError):
    code = "store.recovery_code_wrong"


class StoreDamaged(StoreError):
    code = "store.damaged"


class StoreNewer(StoreError):
    """The library was written by a newer version of the program."""

    code = "store.newer"


class StoreBusy(StoreError):
    code = "store.busy"


class StoreDiskFull(StoreError):
    code = "store.disk_full"


class StoreUnwritable(StoreError):
    code = "store.unwritable"


class BackupMissing(StoreError):
    code = "backup.missing"


class AuditBroken(StoreError):
    """The record of what was done with people is not as it was written. Parameter `row`: the first entry that is wrong."""

    code = "store.audit_broken"


class BackupDamaged(StoreError):
    code = "backup.damaged"


class KeyHomeError(AgentError):
    """The place that keeps the library's key (keyring or key file) can't be used."""


class KeyringAbsent(KeyHomeError):
    code = "keys.no_keyring"


class KeyringLocked(KeyHomeError):
    code = "keys.locked"


class KeyFileUnsafe(KeyHomeError):
    """Others than the owner can read the key file."""

    code = "keys.file_unsafe"
