"""What `ai-popup alerts list` prints of one alert."""

from datetime import UTC, datetime

import pytest

from agent.infrastructure.core.i18n import Texts
from agent.server.alerts.alert_kinds import AlertKind
from agent.server.alerts.commands import _lines
from agent.server.alerts.schemas import AlertOut


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_each_line_is_printed_on_its_own_with_the_page_that_helps(language: str) -> None:
    began = datetime(2026, 11, 29, 12, tzinfo=UTC)
    kind = AlertKind.MEMORY_HIGH
    alert = AlertOut(id=1, source="server", name=kind.value, severity="warning", number=63, began_at=began, ended_at=None)
    first, page = _lines(Texts(language), alert)
    assert "63%" in first and "ai-popup help memory-high" in page
    assert all(line.isprintable() for line in (first, page)), "the output escapes what is not"
