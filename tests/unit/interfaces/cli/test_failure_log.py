"""Those who collect the log find there why a server or worker did not start, in the format that the settings ask for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from agent.infrastructure.core.sd_notify import SETTINGS_WRONG

if TYPE_CHECKING:
    from tests.unit.interfaces.cli.conftest import CommandLine

pytest.importorskip("psycopg")
BOTH = pytest.mark.parametrize("words", [("serve",), ("worker", "--name", "one")])


@BOTH
def test_on_standard_output_the_error_is_a_line_of_json(cli: CommandLine, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]) -> None:
    monkeypatch.setenv("AI_POPUP__LOGS__TARGET", "stdout")
    monkeypatch.setenv("AI_POPUP__ALERTS__WEBHOOK", "https://user:s3cret@[")
    said = cli(*words)
    line = json.loads(said.out)
    assert (said.code, line["event"], line["level"], line["code"]) == (SETTINGS_WRONG, "process.failed", "error", "settings.invalid")
    assert "AI_POPUP__ALERTS__WEBHOOK" in line["cause"] and line["remedy"] and "s3cret" not in said.out
    assert "[settings.invalid]" in said.err


@BOTH
def test_a_file_that_cannot_be_parsed_is_in_the_log_file(cli: CommandLine, words: tuple[str, ...]) -> None:
    cli.paths.settings.write_text("[server]\nport = 'x\n")
    assert cli(*words).code == SETTINGS_WRONG
    [log] = cli.paths.logs.glob("*.log")
    assert json.loads(log.read_text())["code"] == "settings.unreadable" and log.name.startswith(words[0])


@BOTH
def test_a_secret_that_may_come_back_with_its_disk_is_tried_again(
    cli: CommandLine, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.setenv("AI_POPUP__SERVER__DATABASE_FILE", "/nowhere/database")
    said = cli(*words)
    assert said.code == 1 and "[settings.secret_unreadable]" in said.err


def test_a_server_does_not_begin_beside_an_interrupted_restore_and_is_not_tried_again(cli: CommandLine) -> None:
    (cli.paths.data / "restoring" / "data").mkdir(parents=True)
    said = cli("serve")
    assert said.code == SETTINGS_WRONG and "[backup.restore_interrupted]" in said.err
    assert not (cli.paths.data / "postgres").exists() and not (cli.paths.data / "library").exists()


def test_what_is_said_of_the_log_beside_an_error_counts(cli: CommandLine) -> None:
    cli.paths.settings.write_text('[logs]\ntarget = "stdout"\n[server]\nport = "x"\n')
    assert json.loads(cli("serve").out)["cause"].startswith("Line 4")
    cli.paths.settings.write_text('[logs]\ntarget = "x"\n')
    assert cli("serve").out == "" and "one of: file, stdout" in (cli.paths.logs / "server.log").read_text()


def test_a_variable_that_names_no_setting_is_named(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AI_POPUP__LANGUAGE", "en")
    said = cli("config", "validate")
    assert "AI_POPUP__LANGUAGE" in said.err and "“general.language”" in said.err
