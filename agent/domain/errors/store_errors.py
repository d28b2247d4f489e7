"""Failures of the library, its backups and the storage of its key."""

from agent.domain.errors.error_tree import AgentError


class StoreError(AgentError):
    """The encrypted library can't be used in its current state."""


class StoreKeyMissing(StoreError):
    """A library exists, but its key is not in the key home. A new library never replaces it."""

    code = "store.key_missing"


class StoreKeyWrong(StoreError):
    code = "store.key_wrong"


class StoreRecoveryCodeWrong(StoreError):
    code = "store.recovery_code_wrong"


class StoreDamaged(StoreError):
    """Part of the library can't be read. Parameters of an intact backup: `backup`, `photos`; `newer`, `edits` if they are known.

    If it can't even be opened: `unopened`, the time of the intact backup, with `photos`; without one `lost`.
    """

    code = "store.damaged"


class StoreNewer(StoreError):
    """The library was written by a newer version of the program."""

    code = "store.newer"


class StoreTooOld(StoreError):
    """No migration leads from the library's schema to this program's. Parameters: `found` and `oldest`, revisions."""

    code = "store.too_old"


class StoreBusy(StoreError):
    code = "store.busy"


class StoreDiskFull(StoreError):
    code = "store.disk_full"


class StoreUnwritable(StoreError):
    code = "store.unwritable"


class StoreUnreachable(StoreError):
    """A team server's database does not answer, or takes no writes: for a moment while another takes its place."""

    code = "store.unreachable"


class BackupMissing(StoreError):
    code = "backup.missing"


class AuditBroken(StoreError):
    """The audit log is not as it was written. Parameter `row`: the first wrong entry."""

    code = "store.audit_broken"


class BackupDamaged(StoreError):
    code = "backup.damaged"


class KeyHomeError(AgentError):
    """The storage of the library's key (keyring or key file) can't be used."""


class KeyringAbsent(KeyHomeError):
    code = "keys.no_keyring"


class KeyringLocked(KeyHomeError):
    code = "keys.locked"


class KeyFileUnsafe(KeyHomeError):
    """Other users can read the key file or enter its folder. Parameter `path`: which of both."""

    code = "keys.file_unsafe"
