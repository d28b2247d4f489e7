"""What to do when the library or its key is lost."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from filelock import FileLock
from sqlalchemy import update

from agent.domain.edits import NameFacesEdit
from agent.domain.face import Analysis, Box, Face, Quality, StageTimes
from agent.domain.image import FileSeen, Recipe
from agent.domain.jobs import Priority
from agent.features.redaction.copy_records import PlannedCopy
from agent.features.redaction.options import RedactionOptions
from agent.features.redaction.queries.redaction_queries import RedactionQueries
from agent.infrastructure.core.paths import SERVER_FOLDER
from agent.infrastructure.store.open_library import open_library
from agent.infrastructure.store.schema import redaction_item
from agent.infrastructure.store.secret_stores import FileSecretStore

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.unit.interfaces.cli.conftest import CommandLine

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
RECIPE = Recipe("centerface-2", "mobilefacenet-1")


@pytest.fixture
def store(cli: CommandLine) -> Callable[[str, str], None]:
    """Stores a photo with one face, confirmed as this person, and the record of its covered copy."""

    def store(letter: str, name: str) -> None:
        library = RedactionQueries(open_library(cli.paths.library, FileSecretStore(cli.paths.keys)))
        seen = FileSeen(f"/photos/{letter}.jpg", ord(letter), 1)
        library.note_file(seen, RECIPE, priority=Priority.ASKED, now=NOW)
        [job], _ = library.lease(1, now=NOW, until=NOW)
        found = Face(Box(5, 5, 40, 40), 0.9, ((1.0, 1.0),) * 5, Quality(30, 30, 0, 0))
        library.commit(job, Analysis(letter * 64, 9, 640, 480, "jpeg", RECIPE, "f32", (found,), StageTimes()), now=NOW)
        newest = library.images(limit=1)[0]
        library.edit(NameFacesEdit(face_ids=(newest.faces[0].id,), name=name), now=NOW)
        library.plan_copies(letter * 32, RedactionOptions(), [PlannedCopy(seen.path, f"/covered/{letter}.jpg")], now=NOW)
        with library.database.write() as tx:
            tx.execute(update(redaction_item).values(state="done", copy_sha256=redaction_item.c.id))
        library.database.close()

    return store


def test_a_restore_from_a_folder_that_is_not_there_says_so_before_it_asks(cli: CommandLine) -> None:
    said = cli("backup", "restore", "--from", str(cli.root / "nowhere"))
    assert said.code == 2 and "This folder doesn’t exist" in said.err


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


def test_a_dry_run_says_what_only_the_library_holds(cli: CommandLine, store: Callable[[str, str], None]) -> None:
    store("a", "Grandpa")
    name = cli("backup", "create").out.split()[0]
    said = cli("backup", "restore", "--dry-run")
    assert "Nothing would be lost" in said.out
    store("b", "Mei")
    with FileLock(cli.paths.lock):  # also beside a running agent: it only reads
        said = cli("backup", "restore", "--dry-run")
        facts = json.loads(cli("backup", "restore", "--dry-run", "--json").out)
    assert said.code == 0 and said.out.startswith(f"{name} is good")
    told = said.out.splitlines()[1:]
    assert [line.split(": ", 1)[1].split(" (")[0] for line in told] == ["1 photo", "1 person", "1 confirmed face", "1 covered copy"]
    assert facts == {"name": name, "lost": {"photos": 1, "people": ["Mei"], "faces": 1, "copies": 1}}
    assert not list(cli.paths.library.glob("damaged-*"))


def test_the_question_before_a_restore_names_the_loss_too(
    cli: CommandLine, store: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    cli("backup", "create")
    store("b", "Mei")
    monkeypatch.setattr("click.termui.visible_prompt_func", lambda _: "n")
    monkeypatch.setattr("agent.interfaces.cli.confirm.can_ask", lambda: True)
    assert "1 person (Mei)" in cli("backup", "restore").err


def test_a_dry_run_says_so_if_the_library_cannot_be_compared(cli: CommandLine) -> None:
    cli("backup", "create")
    (database,) = cli.paths.library.glob("*.db")
    database.write_bytes(b"rubbish" * 1000)
    for path in cli.paths.library.glob("*-wal"):
        path.unlink()
    assert "can’t be compared" in cli("backup", "restore", "--dry-run").out
    assert json.loads(cli("backup", "restore", "--dry-run", "--json").out)["lost"] is None


def test_the_recovery_code_opens_a_library_whose_key_is_lost(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    cli("backup", "create")
    code = cli("recovery-code").out.strip()
    for path in cli.paths.keys.iterdir():
        path.unlink()
    said = cli("backup", "create")
    assert said.code == 1 and "[store.key_missing]" in said.err
    monkeypatch.setattr("sys.stdin", io.StringIO(f"WRONG{code[5:]}\n{code}\n"))
    said = cli("recover")
    assert said.code == 1 and "[store.recovery_code_wrong]" in said.err
    said = cli("recover")
    assert said.code == 0 and "opens again" in said.out
    assert cli("backup", "create").code == 0


def test_copied_backups_are_restored_on_a_new_computer_with_the_recovery_code(
    cli: CommandLine, store: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    store("a", "Mei")
    cli("backup", "create")
    code = cli("recovery-code").out.strip()
    for path in (*cli.paths.keys.iterdir(), *cli.paths.library.glob("library.*")):
        path.unlink()
    for command in (("people", "list"), ("backup", "restore", "--yes")):
        assert "[store.key_missing]" in cli(*command).err
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{code}\n"))
    said = cli("recover")
    assert said.code == 0 and "`ai-popup backup restore`" in said.out
    restored = cli("backup", "restore", "--yes")
    assert restored.code == 0 and "beside" not in restored.out
    assert cli("people", "list").out == "Mei  1 face\n" and cli("recovery-code").out.strip() == code


@pytest.mark.parametrize("command", ["recover", "recovery-code"])
def test_without_a_library_there_is_nothing_to_recover(cli: CommandLine, command: str) -> None:
    said = cli(command)
    assert said.code == 1 and "no library yet" in said.err
    assert not list(cli.paths.library.glob("*.db"))


def test_the_code_of_a_new_library_is_not_shown_where_there_is_no_terminal(cli: CommandLine) -> None:
    said = cli("backup", "create")
    code = cli("recovery-code").out.strip()
    assert code not in said.err and "recovery-code" in said.err


def test_a_restore_from_elsewhere_neither_only_looks_nor_takes_a_name(cli: CommandLine) -> None:
    for words in (("--dry-run",), ("2026-11-28T080000Z",)):
        said = cli("backup", "restore", "--from", "/mnt/elsewhere", *words)
        assert said.code == 2 and "--from" in said.err
    said = cli("backup", "restore", "--to", "2026-11-28T08:00")
    assert said.code == 2 and "--to needs --from" in said.err


def test_nothing_to_verify_is_said(cli: CommandLine) -> None:
    assert "There are no backups yet." in cli("backup", "verify").err
    (cli.paths.data / SERVER_FOLDER).mkdir()
    said = cli("backup", "verify")
    assert said.code == 1 and "`ai-popup backup drill`" in said.err
