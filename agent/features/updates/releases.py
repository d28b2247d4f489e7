"""Releases: their order, which one is acceptable, and when to check for the next."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from agent.domain.errors import AgentError, UpdateExpired, UpdateOlder, UpdateUntrusted

EVERY = timedelta(days=1)
FIRST_RETRY = timedelta(hours=1)
JITTER = timedelta(hours=4)

_VERSION = re.compile(r"(\d{1,5})\.(\d{1,5})\.(\d{1,5})(?:(a|b|rc)(\d{1,5}))?", re.ASCII)
_STAGES = ("a", "b", "rc", None)  # a final version comes after its candidates


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """A version number, `1.2.3` or `1.2.3b4`, ordered by release."""

    numbers: tuple[int, int, int]
    stage: int
    step: int

    @classmethod
    def parse(cls, text: str) -> "Version":
        """Raises ValueError."""
        match = _VERSION.fullmatch(text)
        if match is None:
            raise ValueError(f"no version number: {text!r}")
        major, minor, patch, stage, step = match.groups()
        return cls((int(major), int(minor), int(patch)), _STAGES.index(stage), int(step or 0))


@dataclass(frozen=True, slots=True)
class ReleaseFile:
    """The installer for one kind of computer: `platform` is `linux-x86_64`, ...; `size` is in bytes."""

    kind: str
    platform: str
    address: str
    size: int
    sha256: str

    @property
    def name(self) -> str:
        return self.address.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Release:
    """A version as announced by its publisher; `news` describes the changes, by language."""

    version: str
    channel: str
    published: datetime
    expires: datetime
    news: Mapping[str, str]
    files: tuple[ReleaseFile, ...]

    def file_for(self, kind: str, platform: str) -> ReleaseFile | None:
        return next((file for file in self.files if (file.kind, file.platform) == (kind, platform)), None)


@dataclass(frozen=True, slots=True)
class SeenVersion:
    """The newest release that was ever announced on a channel."""

    version: str
    published: datetime


def judge(release: Release, *, channel: str, installed: str, seen: SeenVersion | None, now: datetime) -> bool:
    """Whether a correctly signed release is newer than the installed version.

    Raises UpdateUntrusted (it is of another channel), UpdateExpired, UpdateOlder (than one seen before, or than the one installed): so that
    an attacker who replays old signed manifests can't bring an old version back, or hold a new one back for long.
    """
    if release.channel != channel:
        raise UpdateUntrusted
    if not release.published <= release.expires or release.expires <= now:
        raise UpdateExpired
    version, here = Version.parse(release.version), Version.parse(installed)
    if seen is not None and (version < Version.parse(seen.version) or release.published < seen.published):
        raise UpdateOlder(version=release.version, newest=seen.version)
    # After leaving the beta channel, updates wait until the stable version catches up; the newest beta may be older than the final version.
    if version < here and channel == "stable" and here.stage == len(_STAGES) - 1:
        raise UpdateOlder(version=release.version, newest=installed)
    return version > here


def due_at(checked: datetime | None, failures: int, jitter: float) -> datetime | None:
    """The time of the next check: daily, sooner after a failure, doubling each time; `jitter` is from 0 to 1. None means now."""
    if checked is None:
        return None
    if failures:
        return checked + min(EVERY, FIRST_RETRY * float(2 ** min(failures - 1, 10))) * (1 + jitter / 4)
    return checked + EVERY + JITTER * jitter


class UpdateStep(StrEnum):
    """The progress of an update."""

    OFF = "off"  # the build has no address or key
    CURRENT = "current"  # no newer version is known
    AVAILABLE = "available"  # a newer version is known but not downloaded
    READY = "ready"  # downloaded and verified: it is installed at the next quit
    MANAGED = "managed"  # a newer version is known; the system's package manager installs it


@dataclass(frozen=True, slots=True)
class UpdateState:
    """The current state of updates."""

    step: UpdateStep
    channel: str
    version: str | None = None  # the newer one
    news: Mapping[str, str] = field(default_factory=dict)
    command: str | None = None  # installs it, where it is not installed automatically
    checked_at: datetime | None = None
    failures: int = 0  # since the last successful check
    problem: AgentError | None = None  # of the last check or download
    outcome: AgentError | None = None  # of the last installation, if it was rolled back
