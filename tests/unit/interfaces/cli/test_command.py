"""What every command takes and says, whatever it does."""

from __future__ import annotations

import io
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest

from agent.app.commands import ai_popup
from agent.infrastructure.core.i18n import Texts, catalogue
from agent.interfaces.cli.command import CommandGroup, first_sentence
from agent.interfaces.cli.output import ProgressBar
from agent.interfaces.cli.wrapping import cells

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.in_process_agent import FakeAnalyser
    from tests.unit.interfaces.cli.conftest import CommandLine


DESCRIPTION = Path(__file__).parents[4] / "ui" / "src" / "api" / "openapi.json"


def commands(group: CommandGroup = ai_popup, *above: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command with its words."""
    for name, command in group.commands.items():
        if not command.hidden:
            yield (*above, name), command
        if isinstance(command, CommandGroup):
            yield from commands(command, *above, name)


def test_the_agent_starts_without_reading_its_own_source_for_descriptions() -> None:
    """Descriptions of fields are for `scripts/openapi.py`; reading them took a seventh of a start."""
    code = "import agent.app.http, agent.interfaces.web.schemas as s; print(s.Problem.model_fields['setting'].description)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "None"


def test_commands_start_without_the_database_library() -> None:
    """It takes longer to import than most commands take to run."""
    code = "import sys, agent.app.commands; print('sqlalchemy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "False"


def test_every_command_can_be_quiet_and_verbose() -> None:
    for words, command in commands():
        context = command.context_class(command, info_name=words[-1])
        options = {name for param in command.get_params(context) for name in param.opts}
        assert {"-q", "--quiet", "-v", "--verbose", "--help"} <= options, words


def test_quiet_leaves_results_and_errors(cli: CommandLine, analyser: FakeAnalyser, tmp_path: Path) -> None:
    photo = tmp_path / "a.jpg"
    photo.write_bytes(b"a")
    cli("backup", "create")
    for words in (("-q", "scan", str(photo)), ("scan", "--quiet", str(photo))):
        said = cli(*words)
        assert (said.code, said.out, said.err) == (0, f"{photo}: 1 face\n", "")
    assert "1 photo, 1 face." in cli("scan", str(photo)).err
    assert "[settings.unknown_key]" in cli("-q", "config", "set", "no.key", "1").err


def test_verbose_tells_what_is_logged_and_where_an_error_arose(cli: CommandLine, analyser: FakeAnalyser, tmp_path: Path) -> None:
    photo = tmp_path / "a.jpg"
    photo.write_bytes(b"a")
    said = cli("-v", "undo")
    assert said.code == 1 and '"code": "people.nothing_to_undo"' in said.err and "agent.features.people.editor:" in said.err
    assert "agent.features.people" not in cli("undo").err


@pytest.mark.parametrize("columns", [60, 80, 200])
def test_the_progress_bar_fits_the_terminal(monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    terminal = io.StringIO()
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setattr("shutil.get_terminal_size", lambda *_: os.terminal_size((columns, 20)))
    progress = ProgressBar()
    with progress.showing():
        progress.begin(12_345)
        progress.move(12_344, 12_344)
    for shown in terminal.getvalue().replace("\r", "\n").split("\n"):
        assert cells(shown.replace("\x1b[?25l", "").replace("\x1b[?25h", "").replace("\x1b[K", "")) <= columns


def test_a_list_of_commands_says_the_first_sentence_whole() -> None:
    assert first_sentence("Take a picture. Without a choice you pick.") == "Take a picture."
    assert first_sentence("截取屏幕：人脸先遮住。不指定范围时由你选择。") == "截取屏幕：人脸先遮住。"


# What prints nothing that a program could read, or prints JSON anyhow.
_WITHOUT_JSON = {("run",), ("completion",), ("hand-over",), ("recover",), ("people", "export"), ("worker",)}


def test_every_command_that_says_something_says_it_as_json(cli: CommandLine) -> None:
    for words, command in commands():
        options = {name for param in command.params for name in param.opts}
        assert isinstance(command, CommandGroup) or ("--json" in options) != (words in _WITHOUT_JSON), words


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("config", "show", "popup.seconds"), 12),
        (("config", "set", "popup.seconds", "5"), {"key": "popup.seconds", "value": 5}),
        (("config", "validate"), {"valid": True, "problems": []}),
        (("watch", "off"), {"on": False, "running": False}),
        (("update", "channel"), {"channel": "auto"}),
        (("problems", "retry"), {"at_once": False}),
        (("uninstall", "--dry-run"), None),
        (("backup", "create"), None),
        (("models", "verify"), None),
        (("update", "status"), None),
        (("recovery-code",), None),
    ],
)
def test_json_is_one_object_for_each_line(cli: CommandLine, words: tuple[str, ...], expected: object) -> None:
    cli("backup", "create")
    said = cli(*words, "--json")
    assert said.code == 0
    told = [json.loads(line) for line in said.out.splitlines()]
    assert told and (expected is None or told == [expected])


def test_backups_as_json(cli: CommandLine) -> None:
    made = json.loads(cli("backup", "create", "--json").out)
    assert [json.loads(line) for line in cli("backup", "list", "--json").out.splitlines()] == [made]
    assert json.loads(cli("backup", "verify", "--json").out) == {"name": made["name"], "good": True, "photos": 0}
    assert json.loads(cli("backup", "restore", "--dry-run", "--json").out) == {
        "name": made["name"],
        "lost": {"photos": 0, "people": [], "faces": 0, "copies": 0},
    }
    assert not list(cli.paths.library.glob("damaged-*"))
    assert json.loads(cli("backup", "restore", "--yes", "--json").out) == {"name": made["name"]}


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_every_command_shows_examples_that_it_understands(language: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("agent.interfaces.cli.command.TEXTS", Texts(language))
    monkeypatch.setattr("click.Path.convert", lambda self, value, *_: value)  # files of examples are not there
    for words in [(), *(words for words, _ in commands())]:
        told = catalogue(language).get(f"cli.examples.{'_'.join(words).replace('-', '_') or 'ai_popup'}", "").split("\n")
        for line in told:
            typed = shlex.split(line.partition("  #")[0].partition(" | ")[0].partition(" > ")[0].partition(" >> ")[0])
            if typed[:1] == ["$EDITOR"]:
                continue
            assert typed[: 1 + len(words)] == ["ai-popup", *words], (words, line)
            _understood(typed[1:])


def _understood(typed: list[str]) -> None:
    """Parse a line and run nothing. Raises click.UsageError."""
    group: click.Command = ai_popup
    while isinstance(group, CommandGroup):
        group, typed = group.commands[typed[0]], typed[1:]
    group.make_context("example", typed)


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_every_step_that_can_be_undone_has_words(language: str) -> None:
    step = json.loads(DESCRIPTION.read_text(encoding="utf-8"))["components"]["schemas"]["Step"]
    actions = re.findall(r"`(\w+)`", step["properties"]["action"]["description"])
    texts = Texts(language)
    assert len(actions) > 9 and not [each for each in actions if texts(f"cli.step.{each}", count=2).startswith("cli.")]


def test_the_help_lists_each_command_once_under_its_section(cli: CommandLine) -> None:
    told = [line for line in cli("--help").out.splitlines() if line.startswith("  ") and not line.startswith("   ")]
    listed = [line.split()[0] for line in told if line.split()[0] in ai_popup.commands]
    assert sorted(listed) == sorted(ai_popup.commands) and listed[0] == "run"


def test_a_list_of_commands_shows_the_first_sentence_of_each() -> None:
    assert first_sentence("Move a library.\n\nThe source is only read.") == "Move a library."
    assert first_sentence("One. Two.") == "One." and first_sentence("一。二。") == "一。" and first_sentence("no stop") == "no stop"
