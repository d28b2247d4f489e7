"""Failures of incidents: their first step, and the messages about them."""

from agent.domain.errors.error_tree import AgentError


class IncidentError(AgentError):
    """Something can't be done with an incident, or nobody can be told of it."""


class NoFirstStep(IncidentError):
    """It concerns no member: only the runbook helps."""

    code = "incident.no_first_step"


class StepNotUndone(IncidentError):
    """Only a lock that is still in place can be taken back."""

    code = "incident.step_not_undone"


class NoWayToTell(IncidentError):
    """Neither e-mail nor webhook is set up."""

    code = "incident.no_way_to_tell"


class MailFailed(IncidentError):
    """One parameter names what failed: `connect`, `encryption`, `sign_in` or `refused`."""

    code = "incident.mail_failed"


class WebhookFailed(IncidentError):
    """Parameter `status`: the answer's, 0 if there was none."""

    code = "incident.webhook_failed"


class WebhookInside(IncidentError):
    """The webhook's address is on this computer or in the team's own network, and the settings don't allow that."""

    code = "incident.webhook_inside"


class WebhookKeyMissing(IncidentError):
    """Messages would not be signed."""

    code = "incident.webhook_key_missing"
