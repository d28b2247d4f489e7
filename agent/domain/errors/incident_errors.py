"""Failures of incidents and their first step."""

from agent.domain.errors.error_tree import AgentError


class IncidentError(AgentError):
    """Something can't be done with an incident."""


class NoFirstStep(IncidentError):
    """It concerns no member: only the runbook helps."""

    code = "incident.no_first_step"


class StepNotUndone(IncidentError):
    """Only a lock that is still in place can be taken back."""

    code = "incident.step_not_undone"
