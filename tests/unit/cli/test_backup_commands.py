"""What to do when the library or its key is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
import pytest
from filelock import FileLock

if TYPE_CHECKING:
    from tests.unit.cli.conftest import CommandLine


def test_backups_are_made_listed_verified_and_restored(cli: CommandLine) -> None:
    assert "no backups yet" in cli("backup", "list").err
    name = cli("backup", "create").out.split()[0]
    assert cli("backup", "list").out.split()[0] == name
    said = cli("backup", "verify")
    assert said.code == 0 and f"{name}: good" in said.out
    assert cli("backup", "verify", name).code == 0
    assert cli("backup", "restore", name, "--yes").code == 0
    said = cli("backup", "restore", "2000-01-01T000000Z")
    assert said.code == 1 and "[backup.missing]" in said.err


def test_a_damaged_library_is_named_and_the_backup_brings_it_back(cli: CommandLine) -> None:
    cli("backup", "create")
    (database,) = cli.paths.library.glob("*.db")
    database.write_bytes(b"rubbish" * 1000)
    for path in cli.paths.library.glob("*-wal"):
        path.unlink()
    said = cli("backup", "create")
    assert said.code == 1 and "[store.damaged]" in said.err
    assert cli("backup", "restore").code == 0
    assert cli("backup", "create").code == 0


def test_a_damaged_backup_is_named(cli: CommandLine) -> None:
    name = cli("backup", "create").out.split()[0]
    (copy,) = (cli.paths.library / "backups" / name).glob("*.db")
    copy.write_bytes(b"rubbish" * 1000)
    said = cli("backup", "verify")
    assert said.code == 1 and "[backup.damaged]" in said.err and name in said.err


def test_nothing_is_restored_under_a_running_agent(cli: CommandLine) -> None:
    cli("backup", "create")
    with FileLock(cli.paths.lock):
        said = cli("backup", "restore")
    assert said.code == 1 and "[agent.already_running]" in said.err


def test_the_recovery_code_opens_a_library_whose_key_is_lost(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    cli("backup", "create")
    code = cli("recovery-code").out.strip()
    for path in cli.paths.keys.iterdir():
        path.unlink()
    said = cli("backup", "create")
    assert said.code == 1 and "[store.key_missing]" in said.err
    typed = ["WRONG" + code[5:], code]
    monkeypatch.setattr(click, "prompt", lambda *_, **__: typed.pop(0))
    said = cli("recover")
    assert said.code == 1 and "[store.recovery_code_wrong]" in said.err
    said = cli("recover")
    assert said.code == 0 and "opens again" in said.out
    assert cli("backup", "create").code == 0


@pytest.mark.parametrize("command", ["recover", "recovery-code"])
def test_without_a_library_there_is_nothing_to_recover(cli: CommandLine, command: str) -> None:
    said = cli(command)
    assert said.code == 1 and "no library yet" in said.err
    assert not list(cli.paths.library.glob("*.db"))


def test_the_code_of_a_new_library_is_not_shown_where_there_is_no_terminal(cli: CommandLine) -> None:
    said = cli("backup", "create")
    code = cli("recovery-code").out.strip()
    assert code not in said.err and "recovery-code" in said.err
