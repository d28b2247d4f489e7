"""Commands that do harm ask first; a script answers beforehand with `--yes`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit.interfaces.cli.conftest import CommandLine


class Asked:
    """A terminal whose user answers with `answer`."""

    def __init__(self) -> None:
        self.questions: list[str] = []
        self.answer = "n"

    def __call__(self, question: str) -> str:
        self.questions.append(question)
        return self.answer


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    made = Asked()
    monkeypatch.setattr("click.termui.visible_prompt_func", made)
    monkeypatch.setattr("agent.interfaces.cli.confirm.can_ask", lambda: True)
    return made


def test_a_backup_over_a_whole_library_is_restored_only_after_a_yes(cli: CommandLine, asked: Asked) -> None:
    cli("backup", "create")
    said = cli("backup", "restore")
    assert (said.code, len(asked.questions)) == (1, 1) and "Nothing was changed." in said.err
    assert not list(cli.paths.library.glob("damaged-*"))
    asked.answer = "y"
    assert cli("backup", "restore").code == 0 and len(list(cli.paths.library.glob("damaged-*"))) == 1


def test_over_a_damaged_or_missing_library_nothing_is_asked(cli: CommandLine, asked: Asked) -> None:
    cli("backup", "create")
    database = cli.paths.library / "library.db"
    for _ in range(2):
        for path in cli.paths.library.glob("library.db*"):
            path.unlink()
        assert cli("backup", "restore").code == 0
        database.write_bytes(b"rubbish" * 1000)
        assert cli("backup", "restore").code == 0
    assert asked.questions == []


@pytest.mark.parametrize("words", [("recognition.enabled", "false"), ("folders", '[{path = "/photos", recognition = false}]')])
def test_recognition_is_switched_off_only_after_a_yes(cli: CommandLine, asked: Asked, words: tuple[str, str]) -> None:
    cli.paths.settings.write_text('[library]\nkey_home = "file"\n[recognition]\nenabled = true\n[[folders]]\npath = "/photos"\n')
    before = cli.paths.settings.read_text()
    assert cli("config", "set", *words).code == 1 and cli.paths.settings.read_text() == before
    assert len(asked.questions) == 1 and "face prints" in asked.questions[0]
    asked.answer = "y"
    assert cli("config", "set", *words).code == 0 and cli.paths.settings.read_text() != before


def test_what_deletes_nothing_is_not_asked_about(cli: CommandLine, asked: Asked) -> None:
    for words in (("recognition.enabled", "false"), ("recognition.enabled", "true"), ("popup.seconds", "5")):
        assert cli("config", "set", *words).code == 0
    assert asked.questions == []


@pytest.mark.parametrize("words", [("backup", "restore"), ("uninstall",), ("uninstall", "--library")])
def test_a_script_has_to_agree_beforehand(cli: CommandLine, words: tuple[str, ...]) -> None:
    cli("backup", "create")
    said = cli(*words)
    assert said.code == 2 and "--yes" in said.err and (cli.paths.library / "library.db").exists()
    assert cli(*words, "--yes").code == 0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("rename", "Mei", ""), "empty"),
        (("rename", "Mei", " \t"), "empty"),
        (("rename", "Mei", "x" * 201), "200"),
        (("rename", "Mei", "a\x1bb"), "printable"),
        (("split", "Mei", __file__, "--to", ""), "empty"),
    ],
)
def test_a_name_that_nobody_can_have_is_wrong_usage(cli: CommandLine, words: tuple[str, ...], told: str) -> None:
    said = cli("people", *words)
    assert said.code == 2 and told in said.err


def test_a_defect_is_told_without_a_traceback(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object) -> None:
        raise ZeroDivisionError("/home/mei/photo.jpg")

    monkeypatch.setattr("agent.app.commands.CommandSession.client", fail)
    said = cli("status")
    assert said.code == 1 and "[agent.unexpected]" in said.err and "ZeroDivisionError" in said.err
    assert "Traceback" not in said.err and "mei" not in said.err
    logged = (cli.paths.logs / "agent.log").read_text()
    assert "command.failed" in logged and "/home/mei" not in logged


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("scan", *([__file__] * 10_001)), "Too many values for paths: at most 10,000"),
        (("redact", *([__file__] * 10_001), "-o", "/tmp/"), "Too many values for paths: at most 10,000"),
        (("scan", "--exclude", "x" * 201, __file__), "A value for exclude can’t be used"),
        (("redact", __file__, "-o", "/tmp/", "--keep", "x" * 201), "A value for keep can’t be used"),
        (("capture", "--all", *(["--keep", "Mei"] * 101)), "Too many values for keep: at most 100"),
    ],
    ids=["scan", "redact", "exclude", "keep", "capture"],
)
def test_too_much_at_once_is_wrong_usage_and_no_traceback(cli: CommandLine, words: tuple[str, ...], told: str) -> None:
    said = cli(*words)
    assert said.code == 2 and told in said.err and "agent.unexpected" not in said.err
