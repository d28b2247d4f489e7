"""Help is in the language that the settings choose, else in the system's; a broken settings file changes nothing."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from agent.interfaces.cli.language import chosen_texts


@pytest.mark.parametrize(
    ("written", "language"),
    [
        ('[general]\nlanguage = "zh-CN"\n', "zh-CN"),
        ('[general]\nlanguage = "auto"\n', "en"),
        ('[general]\nlanguage = "fr"\n', "en"),
        ('[general]\nlanguage = ["zh-CN"]\n', "en"),
        ('general = "zh-CN"\n', "en"),
        ("", "en"),
        ("no toml", "en"),
        (f"deep = {'[' * 9_000}", "en"),
        (b"\xff", "en"),
        (None, "en"),
    ],
)
def test_the_language_is_the_one_that_the_settings_choose(
    written: str | bytes | None, language: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AI_POPUP_HOME", str(tmp_path))
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    (tmp_path / "config").mkdir()
    if written is not None:
        (tmp_path / "config" / "settings.toml").write_bytes(written if isinstance(written, bytes) else written.encode())
    assert chosen_texts().language == language


def test_no_command_is_declared_in_the_systems_language() -> None:
    """Texts made at import follow the system; those of commands come from here."""
    apart = []
    for file in sorted((Path(__file__).parents[4] / "agent").rglob("*.py")):
        for statement in ast.parse(file.read_text(encoding="utf-8")).body:
            made = isinstance(statement, ast.Assign) and ast.unparse(statement.value) == "Texts()"
            apart += [file.name] if made else []
    assert apart == []
