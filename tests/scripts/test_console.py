"""Progress that a person can follow, and failures with cause and remedy in both languages."""

import io
import re
from pathlib import Path

import pytest

from agent.infrastructure.core.i18n import Texts, catalogue
from scripts.setup.console import Console, SetupFailed, clock

ROOT = Path(__file__).parents[2]


def test_a_step_is_named_and_ends_with_its_time(console: Console, screen: io.StringIO) -> None:
    with console.step("ui"):
        pass
    assert re.fullmatch(r"… Building the UI\n✓ Building the UI \(0:00\)\n", screen.getvalue())


def test_a_failed_step_shows_the_logs_tail_cause_and_remedy(console: Console, screen: io.StringIO) -> None:
    with console.failures_shown(), console.step("ui"):
        console.note("disk full")
        raise SetupFailed("command_failed", tool="npm")
    shown = screen.getvalue()
    assert "✗ Building the UI" in shown
    assert "  | disk full" in shown
    assert "npm failed" in shown
    assert "start again" in shown


def test_an_interruption_ends_with_the_usual_exit_code(console: Console, screen: io.StringIO) -> None:
    with pytest.raises(SystemExit) as end, console.failures_shown():
        raise KeyboardInterrupt
    assert end.value.code == 130
    assert "Nothing is lost" in screen.getvalue()


def test_a_terminal_without_unicode_is_no_reason_to_fail(tmp_path: Path) -> None:
    raw = io.BytesIO()
    console = Console(tmp_path / "log", io.TextIOWrapper(raw, encoding="ascii"))
    console.texts = Texts("zh-CN")
    with console.step("ui"):
        pass
    assert b"(0:00)" in raw.getvalue()


def test_minutes_and_seconds() -> None:
    assert [clock(0.9), clock(65), clock(3600)] == ["0:00", "1:05", "60:00"]


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_every_text_the_scripts_use_exists(language: str) -> None:
    sources = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "scripts" / "setup").glob("*.py"))
    used = {f"setup.{key}" for key in re.findall(r'\.say\(\s*"([a-z_.]+)"', sources)}
    used |= {f"setup.steps.{key}" for key in re.findall(r'\.step\(\s*"([a-z_]+)"', sources)}
    codes = re.findall(r'SetupFailed\(\s*"([a-z_]+)"', sources)
    used |= {f"setup.errors.{code}.{part}" for code in codes for part in ("cause", "remedy")}
    used |= {f"setup.locks.{path.stem}" for path in ROOT.glob("installers/locks/requirements*.lock")}
    assert len(used) > 15
    assert used <= catalogue(language).keys()
