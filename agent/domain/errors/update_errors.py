"""Failures of updates: their source, their content, and their installation."""

from agent.domain.errors.error_tree import AgentError


class UpdateError(AgentError):
    """No update is available, or not this one."""


class UpdatesOff(UpdateError):
    """The build has no update address and no key."""

    code = "update.off"


class UpdateUnreachable(UpdateError):
    code = "update.unreachable"


class UpdateInsecure(UpdateError):
    """The address is not https."""

    code = "update.insecure"


class UpdateUntrusted(UpdateError):
    """The signature is not the publisher's, or the signed data was cut short or changed."""

    code = "update.untrusted"


class UpdateNotUnderstood(UpdateError):
    """Correctly signed, in a format that this version does not know."""

    code = "update.not_understood"


class UpdateOlder(UpdateError):
    """The offered version is too old. Parameters: `version` (offered), `newest` (installed, or seen before)."""

    code = "update.older"


class UpdateExpired(UpdateError):
    code = "update.expired"


class UpdateNoFile(UpdateError):
    """The version has no file for this computer. Parameter: `version`."""

    code = "update.no_file"


class UpdateWrongFile(UpdateError):
    """Size or hash differ from the manifest."""

    code = "update.wrong_file"


class UpdateDiskFull(UpdateError):
    code = "update.disk_full"


class UpdateUnwritable(UpdateError):
    """The program's own folder can't be written to."""

    code = "update.unwritable"


class UpdateManaged(UpdateError):
    """Another program installs updates."""

    code = "update.managed"


class UpdateNotReady(UpdateError):
    """No downloaded update is ready to install."""

    code = "update.not_ready"


class UpdateFailed(UpdateError):
    """The system's installer rejected it. Parameter: `version`."""

    code = "update.failed"


class UpdateRolledBack(UpdateError):
    """A new version did not start. Parameter: `version`."""

    code = "update.rolled_back"
