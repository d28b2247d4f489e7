"""pgBackRest's configuration. Paths that depend on the process are in its environment, see `ClusterFolder`."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from agent.domain.errors import OffsiteFileUnreadable
from agent.infrastructure.core.backup_settings import BackupSettings
from agent.infrastructure.store.data_directory import STANZA, Archive
from agent.server.backups.repositories import DATABASE_FOLDER, S3, Place, RepositoryFolder, RepositoryPasswords, Sftp

_SFTP_SESSIONS = 8  # sshd lets so many begin at once
_AWAY_S = 15  # a repository that doesn't answer for so long is away, for commands that must not be held up by it
_SHORT_COMMANDS = ("archive-get", "archive-push", "info", "stanza-create")
_ARRIVES_S = 180  # a backup waits so long for its log, which the repository gets late while the other is away
_KEYS = ("cipher-pass", "s3-key", "s3-key-secret")


def archive(program: str, wanted: BackupSettings, passwords: RepositoryPasswords, places: Sequence[Place]) -> Archive:
    """Describe the repositories, the local one first. Raises OffsiteFileUnreadable."""
    folders: dict[str, Path] = {}
    files: dict[str, bytes] = {}
    for number, place in enumerate(places, 1):
        match place:
            case RepositoryFolder(path):
                folders[f"repo{number}-path"] = path / DATABASE_FOLDER
            case S3(authority=authority) if authority:
                files[f"repo{number}-storage-ca-file"] = _content(authority, "offsite_authority")
            case Sftp(identity=identity, known_hosts=known):
                identity = identity or str(_ssh_folder() / "id_ed25519")
                known = known or str(_ssh_folder() / "known_hosts")
                files[f"repo{number}-sftp-private-key-file"] = _content(identity, "offsite_identity")
                files[f"repo{number}-sftp-public-key-file"] = _content(f"{identity}.pub", "offsite_identity")
                files[f"repo{number}-sftp-known-host"] = _content(known, "offsite_known_hosts")
    return Archive(program, configuration(wanted, passwords, places), folders, files, wanted.wal_seconds)


def _ssh_folder() -> Path:
    """The folder of keys that ssh reads, and with it restic: that of the user's account. `HOME` may be another user's, as under `sudo`."""
    try:
        import pwd

        return Path(pwd.getpwuid(os.getuid()).pw_dir) / ".ssh"
    except (ImportError, KeyError):  # Windows; an account that only the container's runtime knows
        return Path.home() / ".ssh"


def _content(path: str, setting: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise OffsiteFileUnreadable(setting=setting) from error


def configuration(wanted: BackupSettings, passwords: RepositoryPasswords, places: Sequence[Place]) -> str:
    """Return the file's text. It holds keys."""
    lines: dict[str, object] = {
        "archive-push-queue-max": f"{wanted.wal_limit_mb}MiB",
        "compress-type": "zst",
        "delta": "y",
        "log-level-console": "warn",
        "log-level-file": "off",
        "start-fast": "y",
    }
    for number, place in enumerate(places, 1):
        for name, value in _repository(place):
            lines[f"repo{number}-{name}"] = value
        # A restore leaves every file open at the SFTP server, which allows a session 1,024 (pgBackRest #2772): no bundles, so that
        # several sessions share the files.
        bundled = "n" if isinstance(place, Sftp) else "y"
        lines |= {
            f"repo{number}-bundle": bundled,
            f"repo{number}-block": bundled,
            f"repo{number}-cipher-type": "aes-256-cbc",
            f"repo{number}-cipher-pass": passwords.database,
            f"repo{number}-retention-full": str(wanted.keep_full),
        }
    sections: dict[str, dict[str, object]] = {"global": lines}
    for command in _SHORT_COMMANDS:
        sections[f"global:{command}"] = {"io-timeout": _AWAY_S}
    if len(places) > 1:
        # PostgreSQL hands over one piece of the log after the other, and stops at the first that a repository doesn't take. In the
        # background all waiting pieces are handed over, so that each repository gets the whole log while the other is away.
        sections["global:archive-push"]["archive-async"] = "y"
        sections["global:backup"] = {"archive-timeout": _ARRIVES_S}
    if any(isinstance(each, Sftp) for each in places):
        sections["global:restore"] = {"process-max": _SFTP_SESSIONS}
    sections[STANZA] = {"pg1-user": "ai_popup", "pg1-database": "ai_popup"}
    return "\n".join(f"[{name}]\n" + "".join(f"{key}={value}\n" for key, value in of.items()) for name, of in sections.items())


def for_another_host(text: str) -> str:
    """Return the file for a database's own host: with places to fill in, and without keys."""
    lines = []
    for line in text.splitlines():
        name = line.partition("=")[0]
        lines.append(f"{name}=..." if name.partition("-")[2] in _KEYS or name in ("pg1-user", "pg1-database") else line)
    lines.insert(1, "repo1-path=/var/lib/pgbackrest")
    return "\n".join([*lines, "pg1-path=/var/lib/postgresql/18/main", "pg1-port=5432"])


def _repository(place: Place) -> Iterator[tuple[str, str]]:
    match place:
        case RepositoryFolder():
            yield "type", "posix"
        case S3():
            yield "type", "s3"
            yield "path", f"{place.folder}/{DATABASE_FOLDER}"
            yield "s3-endpoint", place.host
            yield "s3-bucket", place.bucket
            yield "s3-region", place.region
            yield "s3-key", place.key_id
            yield "s3-key-secret", place.secret
            yield "s3-uri-style", "path"
            yield "storage-port", str(place.port)
        case Sftp():
            yield "type", "sftp"
            yield "path", f"{place.folder}/{DATABASE_FOLDER}"
            yield "sftp-host", place.host
            yield "sftp-host-port", str(place.port)
            yield "sftp-host-user", place.user
            yield "sftp-host-key-hash-type", "sha256"
