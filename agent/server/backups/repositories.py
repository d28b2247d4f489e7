"""Where backups are: a local folder, S3 or SFTP, each holding the database by pgBackRest and files by restic.

Both are encrypted with passwords derived from the recovery code, so that code alone opens a backup on an empty computer.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeAlias

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from agent.domain.errors import OffsiteSecretMissing
from agent.infrastructure.core.settings import Settings
from agent.infrastructure.store import recovery_code
from agent.infrastructure.store.secret_stores import Home

LOCAL, OFFSITE = "local", "offsite"
DATABASE_FOLDER, FILES_FOLDER = "database", "files"
SECRET: Final = "backup-offsite"  # its account in the key home
_S3 = re.compile(r"s3://(?P<host>[^/:]+)(:(?P<port>\d+))?/(?P<bucket>[^/]+)(?P<folder>/.*)?")
_SFTP = re.compile(r"sftp://(?P<user>[^@/]+)@(?P<host>[^/:]+)(:(?P<port>\d+))?(?P<folder>/.+)")


@dataclass(frozen=True, slots=True)
class RepositoryFolder:
    path: Path


@dataclass(frozen=True, slots=True)
class S3:
    host: str
    port: int
    bucket: str
    folder: str  # begins with a slash, and ends without
    region: str
    key_id: str
    secret: str = field(repr=False)
    authority: str


@dataclass(frozen=True, slots=True)
class Sftp:
    user: str
    host: str
    port: int
    folder: str
    identity: str
    known_hosts: str


Place: TypeAlias = RepositoryFolder | S3 | Sftp


@dataclass(frozen=True, slots=True)
class RepositoryPasswords:
    """Of the two kinds of repositories."""

    database: str = field(repr=False)
    files: str = field(repr=False)

    @classmethod
    def of(cls, code: str) -> "RepositoryPasswords":
        """Derive both from a recovery code. Raises StoreRecoveryCodeWrong."""
        secret = recovery_code.read(code)

        def derived(purpose: bytes) -> str:
            return HKDF(SHA256(), 32, salt=None, info=purpose).derive(secret).hex()

        return cls(derived(b"backup of the database"), derived(b"backup of files"))


def place_of(address: str, settings: Settings, secrets: Home) -> Place:
    """Read an address of the settings' form. Raises OffsiteSecretMissing, KeyHomeError, ValueError."""
    wanted = settings.backup
    if found := _S3.fullmatch(address):
        secret = secrets.read(SECRET)
        if secret is None or not wanted.offsite_key_id:
            raise OffsiteSecretMissing
        return S3(
            host=found["host"],
            port=int(found["port"] or 443),
            bucket=found["bucket"],
            folder=(found["folder"] or "").rstrip("/"),
            region=wanted.offsite_region,
            key_id=wanted.offsite_key_id,
            secret=secret.decode(),
            authority=_expanded(wanted.offsite_authority),
        )
    if found := _SFTP.fullmatch(address):
        identity, known = _expanded(wanted.offsite_identity), _expanded(wanted.offsite_known_hosts)
        return Sftp(found["user"], found["host"], int(found["port"] or 22), found["folder"].rstrip("/"), identity, known)
    folder = Path(address).expanduser()
    if not folder.is_absolute():
        raise ValueError(address)
    return RepositoryFolder(folder)


def local_folder(settings: Settings, data: Path) -> Path:
    """Return the folder of the local repository."""
    return Path(settings.backup.folder).expanduser().absolute() if settings.backup.folder else data / "backups"


def offsite_of(settings: Settings, secrets: Home) -> Place | None:
    """Raises OffsiteSecretMissing, KeyHomeError."""
    return place_of(settings.backup.offsite, settings, secrets) if settings.backup.offsite else None


def repositories_of(settings: Settings) -> tuple[str, ...]:
    """Return the names of the repositories that a server's backups go to; none if it makes none."""
    if not settings.backup.enabled:
        return ()
    return (LOCAL, OFFSITE) if settings.backup.offsite else (LOCAL,)


def _expanded(path: str) -> str:
    return str(Path(path).expanduser().absolute()) if path else ""
