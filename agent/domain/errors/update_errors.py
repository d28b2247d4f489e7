"""What can be wrong with an update: where it comes from, what it is, and how it got in."""

from agent.domain.errors.error_tree import AgentError


class UpdateError(AgentError):
    """There is no update to be had, or not this one."""


class UpdatesOff(UpdateError):
    """The build was told no address to ask and no key to believe."""

    code = "update.off"


class UpdateUnreachable(UpdateError):
    code = "update.unreachable"


class UpdateInsecure(UpdateError):
    """An address that is not https."""

    code = "update.insecure"


class UpdateUntrusted(UpdateError):
    """The signature is not the publisher's, or what was signed was cut short or changed."""

    code = "update.untrusted"


class UpdateNotUnderstood(UpdateError):
    """Rightly signed, in a form that this version does not know."""

    code = "update.not_understood"


class UpdateOlder(UpdateError):
    """Parameters: `version` (offered), `newest` (installed, or seen before)."""

    code = "update.older"


class UpdateExpired(UpdateError):
    code = "update.expired"


class UpdateNoFile(UpdateError):
    """Parameter: `version`."""

    code = "update.no_file"


class UpdateWrongFile(UpdateError):
    """Size or hash are not what the manifest says."""

    code = "update.wrong_file"


class UpdateDiskFull(UpdateError):
    code = "update.disk_full"


class UpdateUnwritable(UpdateError):
    """The program's own place can't be written to."""

    code = "update.unwritable"


class UpdateManaged(UpdateError):
    """Another program installs it."""

    code = "update.managed"


class UpdateNotReady(UpdateError):
    """Nothing was downloaded that could be installed."""

    code = "update.not_ready"


class UpdateFailed(UpdateError):
    """The system's installer did not take it. Parameter: `version`."""

    code = "update.failed"


class UpdateRolledBack(UpdateError):
    """A new version did not come up. Parameter: `version`."""

    code = "update.rolled_back"
