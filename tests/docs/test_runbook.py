"""Each kind of incident and each alert has its page in the runbook, in both languages, and no page is left over."""

import re
from pathlib import Path

from agent.infrastructure.core.i18n import LANGUAGES, catalogue
from agent.server.alerts.alert_kinds import FACTS, AlertKind
from agent.server.incidents.incident_kinds import IncidentKind

ROOT = Path(__file__).parents[2]
RUNBOOK = ROOT / "docs" / "runbook"
RULES = ROOT / "installers" / "server" / "monitoring" / "rules"


def prometheus_alerts() -> set[str]:
    """The names of the alerts in the rules for Prometheus."""
    return {name for file in RULES.glob("*.yml") for name in re.findall(r"^\s*- alert: (\S+)$", file.read_text("utf-8"), re.MULTILINE)}


def test_each_kind_has_its_page_in_both_languages() -> None:
    names = {kind.page for kind in IncidentKind} | set(AlertKind) | prometheus_alerts()
    assert {page.name for page in RUNBOOK.iterdir()} == {f"{name}{suffix}.md" for name in names for suffix in ("", ".zh-CN")}


def test_each_alert_has_its_facts_and_its_words() -> None:
    assert set(FACTS) == set(AlertKind)
    for language in LANGUAGES:
        texts = catalogue(language)
        assert {f"alerts.{part}.{kind}" for part in ("kinds", "texts") for kind in AlertKind} <= texts.keys()
