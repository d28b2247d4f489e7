"""Failures of a server's backups and of offsite backups."""

from agent.domain.errors.error_tree import AgentError


class BackupError(AgentError):
    """Something about backups can't be done."""


class BackupToolMissing(BackupError):
    """Parameter `tool`: `pgbackrest` or `restic`, which is not installed."""

    code = "backup.tool_missing"


class BackupDatabaseElsewhere(BackupError):
    """The database is not the program's own: it is backed up where it runs."""

    code = "backup.database_elsewhere"


class BackupOff(BackupError):
    """The settings switch backups off, or pgBackRest was installed after the server's start."""

    code = "backup.off"


class BackupRunning(BackupError):
    """Another backup, drill or restore is under way."""

    code = "backup.running"


class BackupFailed(BackupError):
    """The tool failed. Parameters: `tool`, `number` of its exit; `where`: `local`, `offsite`, or empty if unknown."""

    code = "backup.failed"


class BackupAhead(BackupError):
    """All backups there have a later date than this computer's clock, or those of a clock that was ahead. Parameter `where`."""

    code = "backup.ahead"


class RepositoryUnreachable(BackupError):
    """Parameter `where`: `local` or `offsite`."""

    code = "backup.unreachable"


class RepositoryUnwritable(BackupError):
    """Its folder or account lets nothing be written, or not even be read. Parameter `where`: `local`, `offsite`, or empty if unknown."""

    code = "backup.unwritable"


class OffsiteFileUnreadable(BackupError):
    """A file by which the offsite repository is reached can't be read. Parameter `setting`: its setting in `backup`."""

    code = "backup.offsite_file"


class RepositoryKeyWrong(BackupError):
    """The recovery code is another library's, or the repository is no backup of this program."""

    code = "backup.key_wrong"


class RepositoryDamaged(BackupError):
    """Files of the repository are missing or not as they were written. Parameter `where`, or `restoring` for one to restore from."""

    code = "backup.repository_damaged"


class RepositoryEmpty(BackupError):
    """There is no backup in it, or none before the moment asked for."""

    code = "backup.repository_empty"


class OffsiteSecretMissing(BackupError):
    """The key for the offsite repository was not entered."""

    code = "backup.offsite_secret_missing"


class OffsiteNotSet(BackupError):
    code = "backup.offsite_not_set"


class OffsiteLate(BackupError):
    """A desktop's second place got no backup for long. Parameter `at`: when it got the last; absent if it never got one."""

    code = "backup.offsite_late"


class OffsiteGone(BackupError):
    """There is no repository where a desktop has sent backups before: the disk isn't mounted, or is another."""

    code = "backup.offsite_gone"


class RestoreHomeTaken(BackupError):
    """There is a library here already: a restore of a live system is refused."""

    code = "backup.home_taken"


class RestoreFailed(BackupError):
    """The restored database does not start. Nothing was put in place."""

    code = "backup.restore_failed"


class RestoreMomentMissed(BackupError):
    """The log ends before the moment asked for. Nothing was put in place."""

    code = "backup.moment_missed"


class RestoreInterrupted(BackupError):
    """A restore into this home began and did not end."""

    code = "backup.restore_interrupted"


class RestoreLogBroken(BackupError):
    """A piece of the database's log is missing or damaged. Parameter `until`: how far it reaches, as `--to` takes it."""

    code = "backup.log_broken"


class RestoreNoRoom(BackupError):
    """The disk has less room than a restore needs. Parameters `needed`, `free`, in MB."""

    code = "backup.no_room"


class DrillDiffers(BackupError):
    """Parameter `tables`: names of tables whose restored rows are not those of the backup's moment."""

    code = "backup.drill_differs"
