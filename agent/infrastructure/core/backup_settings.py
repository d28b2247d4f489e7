"""The section of the settings about backups."""

import os
from typing import Annotated

from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from agent.infrastructure.core.setting_section import Section, TimeOfDay


class BackupSettings(Section):
    """Where backups go besides the library's own folder, and when a team server makes them."""

    enabled: bool = True
    """A team server with the database that comes with the program backs itself up; it needs pgBackRest and restic."""
    folder: str = ""
    """Where the server's backups are kept; empty is `backups` in its data folder. Another disk survives more."""
    offsite: Annotated[
        str,
        Field(
            pattern=r"^(/.+|[A-Za-z]:[/\\].+|\\\\[^\\]+\\.+|s3://[^/@:\s]+(:[0-9]{1,5})?/[^/\s]+(/\S*)?"
            r"|sftp://[^@/\s]+@[^/@:\s]+(:[0-9]{1,5})?/\S+)?$",
            max_length=1_000,
            examples=["s3://s3.example.org/bucket/folder", "sftp://user@host:22/folder", "/mnt/elsewhere", "D:\\elsewhere"],
        ),
    ] = ""
    """A second place, encrypted before it gets there; empty is none."""
    offsite_key_id: Annotated[str, Field(max_length=200)] = ""
    """S3's access key id; the secret key is set by `ai-popup backup secret`."""
    offsite_region: Annotated[str, Field(max_length=100)] = "us-east-1"
    """S3's region."""
    offsite_authority: str = ""
    """PEM file with the authority of S3's certificate, if it is one of your own."""
    offsite_identity: str = ""
    """SFTP's private key file, without a passphrase; its public half is beside it, with `.pub`."""
    offsite_known_hosts: str = ""
    """File with SFTP's host key, as `ssh-keyscan` prints it. Empty is the user's own."""
    at: TimeOfDay = "03:00"
    """The daily backup, by the server's clock; empty makes none by itself."""
    full_days: Annotated[int, Field(ge=1, le=90)] = 7
    """A full backup after this many days; the others hold what changed since."""
    keep_full: Annotated[int, Field(ge=1, le=100)] = 4
    """Full backups to keep, with everything needed to restore any moment since the oldest."""
    wal_seconds: Annotated[int, Field(ge=1, le=3_600)] = 60
    """Changes reach the backups after this long at the latest: a lost disk loses no more."""
    wal_limit_mb: Annotated[int, Field(ge=128, le=1_000_000)] = 4_096
    """If backups can't be written, so much of the log waits for them; beyond it, there is a gap until the next backup."""
    drill_days: Annotated[int, Field(ge=0, le=90)] = 7
    """A backup is restored beside the database and compared after this many days; 0 never does."""

    @field_validator("folder", "offsite")
    @classmethod
    def _absolute(cls, value: str, info: ValidationInfo) -> str:
        # A relative path would depend on the program's working directory.
        remote = info.field_name == "offsite" and "://" in value
        if value and not remote and not os.path.isabs(os.path.expanduser(value)):  # noqa: PTH111, PTH117  # the text stays as it was written
            raise PydanticCustomError("not_absolute", "not absolute")
        return value
