"""Which messages of pgBackRest and restic say that a repository lets nothing be written."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.domain.errors import AgentError, BackupFailed, RepositoryDamaged, RepositoryKeyWrong, RepositoryUnreachable, RepositoryUnwritable
from agent.infrastructure.store.data_directory import STANZA, ClusterFolder
from agent.server.backups.pgbackrest import BaseBackup, PgBackRest, Repository, _meaning
from agent.server.backups.tool_errors import is_refused

# As restic 0.18 and pgBackRest 2.55 print them.
REFUSALS = [
    "Fatal: unable to open config file: stat /mnt/backups/files/config: permission denied",
    "unable to create path '/mnt/backups/database/archive': [30] Read-only file system",
    "mkdir /mnt/backups/files: operation not permitted",
    "Fatal: unable to open repository: unable to start the sftp session: backup@host: Permission denied (publickey).",
    "Stat: Access Denied.",
    "The request signature we calculated does not match the signature you provided.",
    "The Access Key Id you provided does not exist in our records.",
    "HTTP request failed with 403 (Forbidden):",
    "public key authentication failed: libssh2 errno [-18]",
]
OTHERS = [
    "dial tcp 192.0.2.1:443: connect: connection refused",
    "no space left on device",
    "ciphertext verification failed",
    "Host key verification failed.",
]


@pytest.mark.parametrize("said", REFUSALS)
def test_a_refusal_is_told_from_damage_and_absence(said: str) -> None:
    assert is_refused(said)


@pytest.mark.parametrize("said", OTHERS)
def test_other_failures_are_no_refusals(said: str) -> None:
    assert not is_refused(said)


@pytest.mark.parametrize(
    ("status", "said", "expected"),
    [
        (47, "ERROR: [047]: unable to create path '/mnt/backups/database': [13] Permission denied", RepositoryUnwritable),
        (47, "ERROR: [047]: unable to create path '/mnt/backups/database': [2] No such file or directory", RepositoryUnreachable),
        (39, "ERROR: [039]: HTTP request failed with 403 (Forbidden):", RepositoryUnwritable),
        (49, "ERROR: [049]: unable to connect to '192.0.2.1:443': [111] Connection refused", RepositoryUnreachable),
        (101, "ERROR: [101]: timeout during libssh2 handshake [-37]", RepositoryUnreachable),
        (82, "ERROR: [082]: WAL segment was not archived before the 60000ms timeout", RepositoryUnreachable),
        (29, "ERROR: [029]: invalid backup.info", RepositoryDamaged),
        (125, "ERROR: [125]: remote process terminated", BackupFailed),
    ],
)
def test_what_pgbackrest_failed_with(status: int, said: str, expected: type[AgentError]) -> None:
    found = _meaning(status, said, 2)
    assert type(found) is expected
    assert found.params["where"] == ("" if status == 82 else "offsite"), "the log waits for any of them"


@pytest.mark.parametrize("failure", [RepositoryKeyWrong, RepositoryUnreachable])
@pytest.mark.parametrize("readable", [True, False])
def test_a_failed_restore_is_damage_if_the_list_of_backups_opens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: type[AgentError], readable: bool
) -> None:
    tool = PgBackRest(ClusterFolder(tmp_path, None))
    backup = BaseBackup("20261201-015026F", "local", "full", datetime(2026, 12, 1, tzinfo=UTC), 1, 1)
    found = Repository("local", "", (backup,) if readable else (), "")

    def run(*_: object) -> str:
        raise failure

    monkeypatch.setattr(tool, "_run", run)
    monkeypatch.setattr(tool, "info", lambda only: [found])
    monkeypatch.setattr("agent.server.backups.pgbackrest.program", lambda: "pgbackrest")
    with pytest.raises(RepositoryDamaged if readable else failure):
        tool.restore(1, [])


def test_a_list_that_quotes_what_a_wrong_key_made_of_it_is_still_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool = PgBackRest(ClusterFolder(tmp_path, None))
    status = '{"code":99,"message":"[CryptoError] expected key at: \x01\x1f\x0b"}'
    monkeypatch.setattr(tool, "_run", lambda *_: f'[{{"name":"{STANZA}","repo":[{{"key":1,"status":{status}}}]}}]')
    [found] = tool.info(1)
    assert (found.code, found.backups) == (RepositoryUnreachable.code, ())
