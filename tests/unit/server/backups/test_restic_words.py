"""What restic says when its repository goes away while it reads."""

import sys
from pathlib import Path

import pytest

from agent.domain.errors import RepositoryDamaged, RepositoryUnreachable
from agent.infrastructure.store import recovery_code
from agent.server.backups.repositories import RepositoryPasswords, Sftp
from agent.server.backups.restic import Restic

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a program of a shell")
CUT = (
    "Load(<config/0000000000>, 0, 0) failed: ssh command exited: exit status 255\\nFatal: config cannot be loaded",
    "subprocess ssh: Connection to 127.0.0.1 closed by remote host.\\nFatal: config cannot be loaded",
    "Fatal: unable to start the sftp session, error: server unexpectedly closed connection: unexpected EOF",
)


@pytest.fixture
def restic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Restic:
    """Its program says what the file beside it holds, and fails."""
    program = tmp_path / "restic"
    program.write_text(f"#!/bin/sh\nprintf \"$(cat '{tmp_path}/said')\" >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    place = Sftp("ann", "host", 22, "/srv", "", "")
    return Restic(place, RepositoryPasswords.of(recovery_code.write(recovery_code.new_secret())), tmp_path / "cache")


@pytest.mark.parametrize("said", CUT)
def test_a_network_that_is_cut_while_files_are_read_is_no_damage(restic: Restic, tmp_path: Path, said: str) -> None:
    (tmp_path / "said").write_text(said)
    with pytest.raises(RepositoryUnreachable):
        restic.restore("1a2b", tmp_path / "back")
    with pytest.raises(RepositoryUnreachable):
        restic.verify(whole=True)


def test_what_says_nothing_of_a_network_is_damage(restic: Restic, tmp_path: Path) -> None:
    (tmp_path / "said").write_text("Fatal: config cannot be loaded: open config: no such file or directory")
    with pytest.raises(RepositoryDamaged):
        restic.restore("1a2b", tmp_path / "back")
