"""Failures of messages about incidents and alerts."""

from agent.domain.errors.error_tree import AgentError


class MessageError(AgentError):
    """A message can't be sent."""


class NoWayToTell(MessageError):
    """Neither e-mail nor webhook is set up."""

    code = "message.no_way_to_tell"


class MailFailed(MessageError):
    """One parameter names what failed: `connect`, `encryption`, `sign_in` or `refused`."""

    code = "message.mail_failed"


class WebhookFailed(MessageError):
    """One parameter names what failed: `connect`, `certificate` or `slow`; or `moved` (a redirect) or `status`, the answer's."""

    code = "message.webhook_failed"


class WebhookInside(MessageError):
    """The webhook's address is on this computer or in the team's own network, and the settings don't allow that."""

    code = "message.webhook_inside"


class WebhookKeyMissing(MessageError):
    """Messages would not be signed."""

    code = "message.webhook_key_missing"


class NtfyFailed(MessageError):
    """As WebhookFailed."""

    code = "message.ntfy_failed"


class NtfyInside(MessageError):
    """The ntfy server is on this computer or in the team's own network, and the settings don't allow that."""

    code = "message.ntfy_inside"


class HeartbeatFailed(MessageError):
    """As WebhookFailed, or `inside` as WebhookInside."""

    code = "message.heartbeat_failed"
