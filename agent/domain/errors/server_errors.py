"""Failures of the team server: its packages, its database, its certificate and its incidents."""

from agent.domain.errors.error_tree import AgentError


class ServerError(AgentError):
    """The team server can't start or continue."""


class ServerPackagesMissing(ServerError):
    code = "server.packages_missing"


class TracingPackagesMissing(ServerError):
    """`server.tracing` is set, and the extra `tracing` is not installed."""

    code = "server.tracing_missing"


class ServerStopped(ServerError):
    """The library is a team server's, which does not run: commands can't open it beside. Parameter `settings` if its
    settings are wrong, `starts` if it is there but does not answer yet."""

    code = "server.stopped"


class ServerRuns(ServerError):
    """The library is a team server's, which runs: this command can't open it beside."""

    code = "server.runs"


class ServerEnding(ServerError):
    """It ends, and takes no more requests."""

    code = "server.ending"


class DatabaseUnreachable(ServerError):
    """One parameter may name why: `sign_in`, `missing` (the database), `name` (the host's), `encryption`, `busy`, `refused` or `slow`."""

    code = "server.database_unreachable"


class DatabaseOld(ServerError):
    """Parameters: `found` and `wanted`, versions of PostgreSQL."""

    code = "server.database_old"


class DatabaseEncoding(ServerError):
    """The database does not store Unicode. Parameter: `found`, its encoding."""

    code = "server.database_encoding"


class VectorsOld(ServerError):
    """pgvector is too old. Parameters: `found`, `wanted`, and `server`, PostgreSQL's major version.

    If it is not installed, `found` is missing; if a new one is installed that the database does not use yet, `ready` is its version.
    """

    code = "server.vectors_old"


class DatabaseRights(ServerError):
    """The database's user may not make its `tables`, or the `role` by which members' requests are limited; or there is no `schema`."""

    code = "server.database_rights"


class SchemaOld(ServerError):
    """The database needs migrating first, and the settings leave that to `ai-popup server migrate`.

    Parameters: `program`, the revision it needs, and `found`, unless the database is empty.
    """

    code = "server.schema_old"


class OlderVersionsRun(ServerError):
    """Programs of an older version, which the steps would stop, are connected to the database. Parameter: `count`, of processes."""

    code = "server.older_versions"


class SchemaNew(ServerError):
    """The database was migrated by a newer program, and this one can't work on it. Parameters: `found` and `program`, revisions."""

    code = "server.schema_new"


class DatabaseFailed(ServerError):
    """The database that comes with the program does not start. Parameter: `root` if this system has no user for it."""

    code = "server.database_failed"


class DatabaseFilesUnfit(ServerError):
    """The files of the database that comes with the program are of another PostgreSQL. Parameters: `known`, the major versions that come
    with the program, and `found`, the files' own, unless that can't be read.
    """

    code = "server.database_files"


class CertificateUnusable(ServerError):
    """The files of the settings are no certificate with its key. Parameter `expired` if it is out of date, `future` if it is
    not valid before that moment, `unreadable` if a file is missing or not for this user."""

    code = "server.certificate"


class CertificateEnds(ServerError):
    """Parameter: `days` that it is still valid."""

    code = "server.certificate_ends"


class AddressFailed(ServerError):
    """The server does not answer at `server.address`. One parameter may say why: `certificate`, `slow`, `proxy` (the status by which a
    reverse proxy says that it reaches no server), or `other` (the status by which something else answers).
    """

    code = "server.address_failed"


class NameUnresolved(ServerError):
    """Parameter: `settings`, those whose host has no address."""

    code = "server.name_unresolved"


class CheckSlow(ServerError):
    """A check of the network did not end. Parameter: `seconds` that it was given."""

    code = "server.check_slow"


class WorkerVersions(ServerError):
    """A worker and the server are of different versions, or no server has used that database yet."""

    code = "server.worker_versions"


class WorkerKeyUnfit(ServerError):
    """A worker's key is missing, or belongs to another server's library."""

    code = "server.worker_key"


class WorkerFolderAway(ServerError):
    """On a worker's computer the watched folders are missing, or that of a `--root` is missing, empty or silent: no photo's fault."""

    code = "server.worker_folder"


class AlertUnknown(AgentError):
    """No alert has or had that name. Parameters: `name`, `known`, and `nearest` (empty if none is similar)."""

    code = "alert.unknown"


class IncidentError(AgentError):
    """Something can't be done with an incident."""


class NoFirstStep(IncidentError):
    """It concerns no member: only the runbook helps."""

    code = "incident.no_first_step"


class StepNotUndone(IncidentError):
    """Only a lock that is still in place can be taken back."""

    code = "incident.step_not_undone"
