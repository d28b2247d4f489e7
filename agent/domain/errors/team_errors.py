"""Failures of joining a team server, and of following it."""

from agent.domain.errors.error_tree import AgentError


class TeamError(AgentError):
    """A team server can't be joined, followed or left that way."""


class JoinCodeGone(TeamError):
    """No desktop waits with this code: mistyped, expired or decided already."""

    code = "team.join_code_gone"


class TeamAddressInvalid(TeamError):
    code = "team.address_invalid"


class TeamAddressUnnamed(TeamError):
    """The server answers there, but neither it nor its certificate goes by this address."""

    code = "team.address_unnamed"


class TeamSearchFailed(TeamError):
    """The process that searches the network ended without an answer."""

    code = "team.search_failed"


class TeamUnreachable(TeamError):
    """The server doesn't answer, or is not a team server."""

    code = "team.unreachable"


class TeamServerNotFound(TeamError):
    """No server answers at the address that the user wants to join."""

    code = "team.server_not_found"


class TeamCertificateChanged(TeamError):
    """The server shows a certificate without a pinned key. Parameters: the fingerprints `came`, and `expected` or, where the system's
    trust was enough, `system`.
    """

    code = "team.certificate_changed"


class TeamCertificateUnknown(TeamError):
    """A server that is to be joined shows another certificate than the one that it says is its own. Parameters: the fingerprints
    `came` and `expected`.
    """

    code = "team.certificate_unknown"


class TeamCertificateExpired(TeamError):
    """The server's certificate is out of date, or not valid yet, by this computer's clock."""

    code = "team.certificate_expired"


class TeamJoinedAlready(TeamError):
    code = "team.joined_already"


class TeamNotJoined(TeamError):
    code = "team.not_joined"


class TeamMoveUnproven(TeamError):
    """Nothing is pinned, so a server under another name can't prove to be the one that was joined."""

    code = "team.move_unproven"


class TeamNotAdmitted(TeamError):
    """A server by the pinned authority answers at another address, but doesn't take this computer's token."""

    code = "team.not_admitted"


class JoinDenied(TeamError):
    code = "team.join_denied"


class JoinExpired(TeamError):
    code = "team.join_expired"


class TeamEmbedderDiffers(TeamError):
    """The server's face prints are of another model than this program's: they can't be compared."""

    code = "team.embedder_differs"


class TeamEnded(TeamError):
    """The server no longer admits this computer; what came from the team was deleted. Parameter `unsent`: changes lost with it."""

    code = "team.ended"


class TeamMayNotShare(TeamError):
    """The server takes no photos from this computer: its member may add none, or it joined before that was possible."""

    code = "team.may_not_share"
