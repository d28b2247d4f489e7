"""A library that can't be opened at the start: the error names its backup, and a notification offers to restore it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from agent.app import recovery_prompt
from agent.desktop.notifications.notifier import Notifier
from agent.infrastructure.store.open_library import BACKUPS_FOLDER, DATABASE_FILE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from agent.domain.errors import AgentError
    from agent.infrastructure.core.i18n import Texts
    from tests.unit.interfaces.cli.conftest import CommandLine


class Desktop:
    """The user's desktop: shows notifications, and may press their button."""

    def __init__(self) -> None:
        self.shown: list[tuple[str, str]] = []
        self.problems: list[str] = []
        self.started: list[Sequence[str]] = []
        self.press: Callable[[Callable[[], None]], None] = lambda pressed: pressed()
        self.there = True

    async def say(self, texts: Texts, message: str, button: str, pressed: Callable[[], None]) -> bool:
        if self.there:
            self.shown.append((message, button))
            self.press(pressed)
        return self.there

    async def problem(self, texts: Texts, error: AgentError) -> None:
        self.problems.append(error.code)

    def replace_process(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self.started.append(command)


@pytest.fixture
def desktop(monkeypatch: pytest.MonkeyPatch) -> Desktop:
    made = Desktop()
    monkeypatch.setattr(Notifier, "say", lambda _, *told: made.say(*told))
    monkeypatch.setattr(Notifier, "problem", lambda _, *told: made.problem(*told))
    monkeypatch.setattr(recovery_prompt, "replace_process", made.replace_process)
    return made


def damage(cli: CommandLine) -> None:
    """Overwrite the library's first page."""
    database = cli.paths.library / DATABASE_FILE
    database.write_bytes(b"rubbish!" * 512 + database.read_bytes()[4096:])
    for log in cli.paths.library.glob("*-wal"):
        log.unlink()


def test_every_command_names_the_backup_and_no_page_that_can_not_be_shown(cli: CommandLine) -> None:
    cli("backup", "create")
    damage(cli)
    for words in (("run", "--no-tray"), ("people", "list"), ("doctor",)):
        said = cli(*words)
        assert said.code == 1, words
        told = said.out + said.err
        assert told.count("[store.damaged]") == 1, told
        assert "with 0 photos: `ai-popup backup restore`" in told and "Status page" not in told


def test_without_a_good_backup_the_error_says_how_to_begin_anew(cli: CommandLine) -> None:
    cli("backup", "create")
    damage(cli)
    for copy in (cli.paths.library / BACKUPS_FOLDER).glob(f"*/{DATABASE_FILE}"):
        copy.write_bytes(b"rubbish" * 1000)
    assert "No good backup exists" in cli("people", "list").err
    (cli.paths.library).rename(cli.paths.data / "kept")
    assert cli("people", "list").code == 0, "the advice works"


def test_after_a_start_from_a_menu_the_notification_restores_the_backup_and_starts_again(cli: CommandLine, desktop: Desktop) -> None:
    cli("backup", "create")
    damage(cli)
    assert cli("run").code == 1, "the stand-in of the new process returns"
    [(message, button)] = desktop.shown
    assert "ai-popup backup restore" in message and button == "Restore backup"
    [command] = desktop.started
    assert command[-1] == "run"
    assert cli("people", "list").code == 0 and list(cli.paths.library.glob("damaged-*"))


def test_a_button_that_is_not_pressed_changes_nothing(cli: CommandLine, desktop: Desktop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recovery_prompt, "WAIT_S", 0.0)
    desktop.press = lambda _: None
    cli("backup", "create")
    damage(cli)
    assert cli("run").code == 1 and len(desktop.shown) == 1 and not desktop.started
    desktop.there = False
    assert "[store.damaged]" in cli("run").err and not desktop.started


def test_a_backup_restored_meanwhile_is_not_replaced(cli: CommandLine, desktop: Desktop) -> None:
    cli("backup", "create")
    damage(cli)

    def press(pressed: Callable[[], None]) -> None:
        assert cli("backup", "restore").code == 0
        pressed()

    desktop.press = press
    cli("run")
    assert desktop.started and len(list(cli.paths.library.glob("damaged-*"))) == 1


def test_a_restore_that_fails_is_told(cli: CommandLine, desktop: Desktop) -> None:
    cli("backup", "create")
    damage(cli)

    def press(pressed: Callable[[], None]) -> None:
        for copy in (cli.paths.library / BACKUPS_FOLDER).glob(f"*/{DATABASE_FILE}"):
            copy.write_bytes(b"rubbish" * 1000)
        pressed()

    desktop.press = press
    assert cli("run").code == 1 and desktop.problems == ["backup.damaged"] and not desktop.started


def test_without_a_backup_the_notification_has_no_restore(cli: CommandLine, desktop: Desktop) -> None:
    cli("people", "list")
    damage(cli)
    assert cli("run").code == 1 and desktop.problems == ["store.damaged"] and not desktop.shown
