"""Each kind of incident has its page in the runbook, in both languages, and no page is left over."""

from pathlib import Path

from agent.incidents.kinds import IncidentKind

RUNBOOK = Path(__file__).parents[2] / "docs" / "runbook"


def test_each_kind_has_its_page_in_both_languages() -> None:
    wanted = {f"{kind.page}{suffix}.md" for kind in IncidentKind for suffix in ("", ".zh-CN")}
    assert {page.name for page in RUNBOOK.iterdir()} == wanted
