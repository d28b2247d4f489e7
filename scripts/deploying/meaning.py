"""What an environment must say beyond being well-formed. Needs the program, to know its settings."""

import re
from collections.abc import Iterator
from typing import Any

from agent.infrastructure.core.config_check import problems
from agent.infrastructure.core.i18n import Texts
from agent.infrastructure.core.settings import Settings
from scripts.deploying.environment import Environment

_SECRET = re.compile(r"://[^/\s:@]+:[^/\s@]+@|BEGIN [A-Z ]*PRIVATE KEY")
_GUARDED = ("staging", "prod")


def faults(environment: Environment) -> list[str]:
    texts = Texts("en")
    if wrong := [texts.cause(error) for error in problems(environment.settings)]:
        return wrong
    settings = Settings.model_validate(environment.settings)
    found = [*_secrets(environment.settings), *_everywhere(environment, settings)]
    if environment.name in _GUARDED:
        found += _guarded(environment, settings)
    if environment.name == "prod":
        found += _prod(settings)
    return found


def _secrets(settings: dict[str, dict[str, Any]]) -> Iterator[str]:
    for section, values in settings.items():
        for name, value in values.items():
            if isinstance(value, str) and _SECRET.search(value):
                variable = f"AI_POPUP__{section}__{name}_FILE".upper()
                yield f"{section}.{name} holds a password or a key: name its file in server.env, by {variable}"


def _everywhere(environment: Environment, settings: Settings) -> Iterator[str]:
    if environment.keep_releases < 2:
        yield "keep_releases: a rollback needs the release before"
    if environment.backend == "host" and (settings.server.workers > 0) == (environment.host.workers > 0):
        yield "server.workers and deploy.host.workers: the photos are the server's own workers' work or the units'"
    if environment.host.port != settings.server.port or environment.host.operations_port != settings.server.operations_port:
        yield "deploy.host: the gate asks at other ports than the server's"
    if environment.gate_s < settings.server.drain_s + 30:
        yield "gate_s: less than the former version may take to end, and the new one to start"


def _guarded(environment: Environment, settings: Settings) -> Iterator[str]:
    if not settings.server.names:
        yield "server.names: the names that stand in the certificate are missing"
    if settings.server.migrate.value != "never":
        yield "server.migrate: only the deployment may migrate, after a backup"
    if environment.compose.profile != environment.name:
        yield f"deploy.compose.profile is not {environment.name}"
    if settings.logs.level == "debug":
        yield "logs.level: debug is for the environment dev"


def _prod(settings: Settings) -> Iterator[str]:
    if settings.consent.required.value != "always":
        yield "consent.required: must be `always`"
    if not settings.consent.second_person:
        yield "consent.second_person: someone else approves what is published"
    if not settings.backup.enabled or not settings.backup.at or not settings.backup.drill_days:
        yield "backup: backups or their drill are off"
    if not settings.backup.offsite:
        yield "backup.offsite: there is no second place"
    mail = settings.alerts.email_to or settings.incidents.email_to
    if mail and not settings.incidents.smtp_host:
        yield "incidents.smtp_host: no mail server sends the e-mails"
    if not any((mail, settings.alerts.webhook, settings.incidents.webhook, settings.alerts.ntfy_topic)):
        yield "alerts: no address is told of them"
