"""A desktop's backups in a second place, by the real restic: sent by themselves and by command, and restored on an empty computer."""

import copy
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image
from sqlalchemy import select

from agent.app.library_home import home_of_key
from agent.features.people.erasure_list import ErasureList
from agent.infrastructure.core.config_file import SettingsFile
from agent.infrastructure.core.paths import AppPaths
from agent.infrastructure.store import recovery_code
from agent.infrastructure.store.schema import person
from agent.server.backups.context import passwords_of
from agent.server.backups.desktop import send
from agent.server.backups.repositories import RepositoryFolder
from agent.server.backups.restic import Restic
from tests.support.real_program import CHECKOUT, WAIT_S

if TYPE_CHECKING:
    from tests.support.real_program import RealProgram

pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.skipif(sys.platform != "linux", reason="the tests of restic run on Linux"),
]
SLOWLY = '#!/bin/sh\nexec /usr/bin/restic --limit-upload 1 "$@"\n'


class Elsewhere:
    """A second place, and an empty computer."""

    def __init__(self, program: "RealProgram", root: Path) -> None:
        self.program = program
        self.place = root / "elsewhere"
        self.home = root / "empty"
        self.paths = AppPaths.find({"AI_POPUP_HOME": str(self.home)})
        program.file.set("backup.offsite", str(self.place))

    def program_there(self) -> "RealProgram":
        """The program in the home that was restored."""
        moved = copy.copy(self.program)
        moved.home, moved.paths, moved.process = self.home, self.paths, None
        moved.file = SettingsFile(self.paths.settings, environ={})
        moved.environment = {**self.program.environment, "AI_POPUP_HOME": str(self.home)}
        (self.paths.data / "models").symlink_to((self.program.paths.data / "models").readlink(), target_is_directory=True)
        return moved

    def kinds(self) -> list[str]:
        """Of the snapshots; none before there is a repository."""
        if not (self.place / "files" / "config").exists():
            return []
        key = home_of_key(self.program.file.load(), self.program.paths)
        restic = Restic(RepositoryFolder(self.place), passwords_of(self.program.paths.library, key), self.program.paths.cache / "restic")
        return [each.tag for each in restic.snapshots()]

    def restore(self, code: str, *words: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "agent", "backup", "restore", "--from", str(self.place), "--json", *words]
        here = {**self.program.environment, "AI_POPUP_HOME": str(self.home), **environment}
        return subprocess.run(
            command, env=here, cwd=CHECKOUT, capture_output=True, text=True, input=f"{code}\n", timeout=WAIT_S, check=False
        )

    def send_killed(self, folder: Path) -> None:
        """Begin a send, and kill it with restic while it uploads."""
        folder.mkdir()
        (folder / "restic").write_text(SLOWLY)
        (folder / "restic").chmod(0o755)
        here = {**self.program.environment, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}
        before = self._pieces()
        process = subprocess.Popen(
            [sys.executable, "-m", "agent", "backup", "now"],
            env=here, cwd=CHECKOUT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        until = time.monotonic() + WAIT_S
        while self._pieces() == before or not any((self.place / "files" / "locks").iterdir()):
            assert process.poll() is None and time.monotonic() < until
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def _pieces(self) -> set[Path]:
        return {each for each in (self.place / "files" / "data").rglob("*") if each.is_file()}


def test_a_lost_desktop_comes_back_from_a_second_place(program: "RealProgram", photo: Callable[[int], Image.Image], tmp_path: Path) -> None:
    there = Elsewhere(program, tmp_path)
    for name in ("0.jpg", "2.jpg"):
        photo(int(name[0])).save(program.watched / name)
    program.file.set("recognition.enabled", "true")
    program.start()
    program.settled(2)
    with program.client() as client:
        for name, text in (("0.jpg", "Ada"), ("2.jpg", "Grace")):
            client.post_json("/api/people", {"face_id": program.images()[name].faces[0].id, "name": text})
    program.until(lambda _: there.kinds().count("library") == 1)  # the daily one goes by itself
    program.quit()
    code = program.run("recovery-code").stdout.strip()

    made = program.run("backup", "now", "--json")
    assert made.returncode == 0, made.stderr
    facts = json.loads(made.stdout)
    assert facts["sent"] > facts["bytes"] > 0 and facts["stored"] > 0
    settings = program.file.load()
    with program.library() as library, library.database.read() as tx:
        grace = tx.scalar(select(person.c.uid).where(person.c.name == "Grace"))
    ErasureList(program.paths.data / "forgotten").add([str(grace)])
    (program.paths.data / "records").mkdir()
    (program.paths.data / "records" / "old.jsonl").write_text("{}\n")
    assert send(settings, program.paths, home_of_key(settings, program.paths)) == (facts["sent"], 0), "nothing is sent twice"

    there.send_killed(tmp_path / "slow")
    wrong = there.restore(recovery_code.write(recovery_code.new_secret()))
    assert wrong.returncode == 1 and "backup.key_wrong" in wrong.stderr, wrong.stderr
    without = there.restore(code, PATH=str(tmp_path / "nothing"))
    assert without.returncode == 1 and "backup.tool_missing" in without.stderr and "restic" in without.stderr, without.stderr
    assert not there.paths.settings.exists() and not there.paths.library.exists()

    (there.paths.data / "fetching" / "library").mkdir(parents=True)  # as a restore that was killed leaves it
    none = there.restore(code, "--to", "2020-01-01T00:00")
    assert none.returncode == 1 and "backup.repository_empty" in none.stderr, none.stderr
    done = there.restore(code, PYTHONPATH=without_server_packages(tmp_path / "desktop"))
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"name": facts["name"]}
    assert there.paths.settings.read_bytes() == program.paths.settings.read_bytes()
    assert (there.paths.data / "records" / "old.jsonl").read_text() == "{}\n"
    assert "backup.home_taken" in there.restore(code).stderr

    again = program.run("backup", "now", "--json")  # what was killed leaves nothing in the way
    assert again.returncode == 0, again.stderr
    assert not any((there.place / "files" / "locks").iterdir())

    moved = there.program_there()
    moved.start()
    moved.settled(2)
    moved.until(lambda _: names(moved) == {"Ada"})
    moved.quit()


def test_a_second_place_that_is_not_there_gets_no_new_repository(program: "RealProgram", tmp_path: Path) -> None:
    there = Elsewhere(program, tmp_path)
    at = "Second place for backups: "
    assert f"! {at}The second place hasn’t received a backup yet." in program.run("doctor").stdout
    assert program.run("backup", "now", "--verify", "--json").returncode == 0
    assert f"✓ {at}20" in program.run("doctor").stdout
    there.place.rename(tmp_path / "unmounted")
    gone = program.run("backup", "now", "--json")
    assert gone.returncode == 1 and "backup.offsite_gone" in gone.stderr and not gone.stdout, gone.stdout + gone.stderr
    assert not there.place.exists()
    here = program.run("backup", "now")
    assert here.returncode == 1 and here.stdout.startswith("20") and here.stdout.count("\n") == 1, "the library's own backup was made"
    program.file.set("backup.offsite", str(tmp_path / "another"))
    assert program.run("backup", "now", "--json").returncode == 0
    program.file.set("backup.offsite", "sftp://nobody@127.0.0.1:1/elsewhere")
    refused = program.run("backup", "now", "--json")
    assert refused.returncode == 1 and not refused.stdout, "no log among the results"


def without_server_packages(folder: Path) -> str:
    """A path of modules on which those that a desktop's installation lacks aren't found."""
    folder.mkdir()
    for name in ("argon2", "procrastinate", "psycopg", "webauthn"):
        (folder / f"{name}.py").write_text("raise ModuleNotFoundError(name=__name__)\n")
    return f"{folder}{os.pathsep}{CHECKOUT}"


def names(program: "RealProgram") -> set[str]:
    with program.library() as library, library.database.read() as tx:
        return set(tx.scalars(select(person.c.name)))
