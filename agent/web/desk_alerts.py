"""What a team server tells an administrator's desktop of alerts."""

from typing import Annotated, Final, Literal

from pydantic import Field

from agent.domain.severity import Severity
from agent.web.base_schema import Schema

ALERT_NAME: Final = r"^[a-z0-9]+(-[a-z0-9]+)*$"
"""the names of alerts: kebab-case"""
AlertName = Annotated[str, Field(pattern=ALERT_NAME, max_length=100)]
MOST_ALERTS: Final = 500


class DeskAlert(Schema):
    """`number` is what the text of its name says, if the alert is the server's own: percent, hours, photos …"""

    id: Annotated[int, Field(ge=1, lt=2**63)]
    source: Literal["server", "prometheus"]
    name: AlertName
    severity: Severity
    number: int


class DeskAlerts(Schema):
    """`watched`: whether the member may see alerts at all. The items fire and are not silenced."""

    watched: bool
    items: Annotated[tuple[DeskAlert, ...], Field(max_length=MOST_ALERTS)] = ()
