"""What leaves with the program, and what stays unless it is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit.interfaces.cli.conftest import CommandLine


@pytest.fixture
def used(cli: CommandLine) -> CommandLine:
    """A home with a library, a backup, a model and a log."""
    cli("backup", "create")
    for file in (cli.paths.data / "models" / "one" / "one.onnx", cli.paths.logs / "agent.log", cli.paths.cache / "kernel"):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"x")
    return cli


def test_library_settings_and_key_stay_unless_asked_for(used: CommandLine) -> None:
    said = used("uninstall", "--yes")
    assert said.code == 0 and str(used.paths.data) in said.err
    assert not any(folder.exists() for folder in (used.paths.cache, used.paths.logs, used.paths.data / "models"))
    assert used("backup", "verify").code == 0 and used("backup", "create").code == 0


def test_with_the_library_nothing_stays(used: CommandLine) -> None:
    assert used("uninstall", "--library", "--yes").code == 0
    assert [path for path in used.root.rglob("*") if path.is_file()] == []


def test_it_asks_and_takes_no_for_an_answer(used: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def answer(question: str) -> str:
        asked.append(question)
        return "n"

    monkeypatch.setattr("click.termui.visible_prompt_func", answer)
    monkeypatch.setattr("agent.interfaces.cli.confirm.can_ask", lambda: True)
    assert used("uninstall", "--library").code == 1
    assert len(asked) == 1 and (used.paths.library / "library.db").exists()
