"""A second place by SFTP: Debian's sshd, started by the test, takes the database and the files, and gives both back."""

import contextlib
import getpass
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from agent.domain.errors import AgentError, RepositoryKeyWrong, RepositoryUnwritable
from agent.infrastructure.core.backup_settings import BackupSettings
from agent.infrastructure.store import recovery_code
from agent.infrastructure.store.data_directory import ClusterFolder
from agent.infrastructure.store.embedded_postgres import EmbeddedPostgres, embedded_address
from agent.server.backups.configuration import archive
from agent.server.backups.pgbackrest import PgBackRest, program
from agent.server.backups.repositories import OFFSITE, RepositoryFolder, RepositoryPasswords, Sftp
from agent.server.backups.restic import Restic
from agent.server.backups.scratch_database import restored

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="the tests of PostgreSQL run on Linux"),
]
SSHD, SFTP = "/usr/sbin/sshd", "/usr/lib/openssh/sftp-server"


def _key(path: Path) -> Path:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True, stdin=subprocess.DEVNULL)
    return path


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Sftp]:
    """An SFTP server on a free port that lets one key in. sshd reads its files as the user who logs in, so they are in `/tmp`."""
    with contextlib.ExitStack() as stack:
        open_to_all = Path(stack.enter_context(tempfile.TemporaryDirectory(dir="/tmp", prefix="sshd-")))
        host, mine = _key(open_to_all / "host"), _key(tmp_path / "id_ed25519")
        (open_to_all / "authorized").write_text((tmp_path / "id_ed25519.pub").read_text())
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        settings = {
            "Port": port,
            "ListenAddress": "127.0.0.1",
            "HostKey": host,
            "AuthorizedKeysFile": open_to_all / "authorized",
            "PidFile": "none",
            "StrictModes": "no",
            "UsePAM": "no",
            "PasswordAuthentication": "no",
            "PermitRootLogin": "yes",
            "Subsystem": f"sftp {SFTP}",
        }
        (open_to_all / "config").write_text("".join(f"{name} {value}\n" for name, value in settings.items()))
        # As many open files as systemd lets sshd have: tests run with more.
        command = ["prlimit", "--nofile=1024", SSHD, "-D", "-e", "-f", str(open_to_all / "config")]
        server = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        stack.callback(server.wait)
        stack.callback(server.terminate)
        until = time.monotonic() + 60
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            assert server.poll() is None and time.monotonic() < until
            time.sleep(0.05)
        kind, key, *_ = (open_to_all / "host.pub").read_text().split()
        (tmp_path / "known_hosts").write_text(f"[127.0.0.1]:{port} {kind} {key}\n")
        (tmp_path / "far").mkdir()
        yield Sftp(getpass.getuser(), "127.0.0.1", port, str(tmp_path / "far"), str(mine), str(tmp_path / "known_hosts"))


def test_files_come_back_from_a_server_far_away_and_open_with_one_code_only(place: Sftp, tmp_path: Path) -> None:
    passwords = RepositoryPasswords.of(recovery_code.write(recovery_code.new_secret()))
    restic = Restic(place, passwords, tmp_path / "cache")
    (tmp_path / "data" / "uploads").mkdir(parents=True)
    (tmp_path / "data" / "uploads" / "one.jpg").write_bytes(b"a photo of a face")
    restic.prepare()
    size, stored = restic.back_up(tmp_path / "data", ["uploads", "missing"], "data")
    assert size == len(b"a photo of a face") and stored > 0
    assert not any(b"face" in each.read_bytes() for each in Path(place.folder).rglob("*") if each.is_file())
    [snapshot] = restic.snapshots()
    restic.restore(snapshot.id, tmp_path / "back")
    assert (tmp_path / "back" / "uploads" / "one.jpg").read_bytes() == b"a photo of a face"
    restic.verify(whole=True)
    other = Restic(place, RepositoryPasswords.of(recovery_code.write(recovery_code.new_secret())), tmp_path / "cache")
    with pytest.raises(RepositoryKeyWrong):
        other.snapshots()
    refused = Restic(replace(place, identity=str(_key(tmp_path / "unknown"))), passwords, tmp_path / "cache", OFFSITE)
    with pytest.raises(RepositoryUnwritable) as caught:
        refused.prepare()
    assert caught.value.params["where"] == "offsite"


def test_the_database_comes_back_from_a_server_far_away(place: Sftp, tmp_path: Path) -> None:
    import psycopg

    passwords = RepositoryPasswords.of(recovery_code.write(recovery_code.new_secret()))
    wanted = BackupSettings(wal_seconds=1)
    both = archive(program(), wanted, passwords, (RepositoryFolder(tmp_path / "near"), place))
    embedded = EmbeddedPostgres(tmp_path / "postgres", tmp_path / "postgres.log", both)
    url = embedded.start().replace("+psycopg", "")
    try:
        tool = PgBackRest(embedded.home, embedded.sockets)
        tool.prepare()
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE TABLE kept AS SELECT generate_series(1, 1000) AS number")
        tool.back_up(2, full=True)
        assert [(each.name, len(each.backups)) for each in tool.info()] == [("local", 0), ("offsite", 1)]
        tool.verify(2)
        address = embedded_address(tmp_path / "postgres")
    finally:
        embedded.stop()
    far = archive(program(), wanted, passwords, (place,))
    with (
        restored(tmp_path / "scratch", tmp_path / "scratch.log", far, address, 1, ["--type=immediate", "--target-action=promote"]) as found,
        psycopg.connect(found.url.replace("+psycopg", "")) as connection,
    ):
        assert connection.execute("SELECT count(*), sum(number) FROM kept").fetchone() == (1000, 500_500)
    unknown = archive(program(), wanted, passwords, (replace(place, identity=str(_key(tmp_path / "unknown"))),))
    refused = ClusterFolder(embedded.home.path, embedded.home.account, unknown)
    refused.make()
    with pytest.raises(RepositoryUnwritable):
        PgBackRest(refused).prepare()
    wrong = archive(program(), wanted, RepositoryPasswords.of(recovery_code.write(recovery_code.new_secret())), (place,))
    with pytest.raises(AgentError), restored(tmp_path / "none", tmp_path / "none.log", wrong, address, 1, ["--type=immediate"]):
        pass
