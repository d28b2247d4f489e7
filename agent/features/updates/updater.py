"""Checks for a newer version, downloads it and reports the progress."""

import platform
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from agent import __version__
from agent.domain.errors import UpdateError, UpdateManaged, UpdateNoFile, UpdateNotReady, UpdatesOff, UpdateUnreachable
from agent.features.updates.download import download, fetch
from agent.features.updates.manifest import MAX_BYTES, FileEntry, opened
from agent.features.updates.memory import Memory, MemoryFile, Offer, SeenRelease, ToldError
from agent.features.updates.releases import Release, ReleaseFile, SeenVersion, UpdateState, UpdateStep, Version, judge
from agent.infrastructure.core.package_info import Build, PackageKind
from agent.infrastructure.core.paths import AppPaths
from agent.infrastructure.core.program_settings import UpdateChannel
from agent.infrastructure.core.settings import Settings

# These replace themselves; all others are only told about an update and the command that installs it.
SELF_INSTALLED = frozenset((PackageKind.APPIMAGE, PackageKind.NSIS, PackageKind.DMG))
MOST_ATTEMPTS = 2  # at an interrupted version; one that did not start is not retried automatically
_SYSTEMS = {"linux": "linux", "win32": "windows", "darwin": "macos"}
_MACHINES = {"amd64": "x86_64", "x64": "x86_64", "aarch64": "arm64"}


def this_platform() -> str:
    """Such as `linux-x86_64`."""
    machine = platform.machine().lower()
    return f"{_SYSTEMS.get(sys.platform, sys.platform)}-{_MACHINES.get(machine, machine)}"


class Updater:
    """One program's access to newer versions. All but `state` block on the network."""

    def __init__(
        self,
        build: Build,
        *,
        folder: Path,
        cache: Path,
        installed: str,
        clock: Callable[[], datetime],
    ) -> None:
        """`folder` holds the update memory, `cache` the download; `installed` is this program's version."""
        self.build = build
        self.memory = MemoryFile(folder)
        self.cache = cache
        self._installed = installed
        self._clock = clock

    def state(self, channel: str) -> UpdateState:
        """The stored state; makes no request."""
        memory = self.memory.read()
        offer = self._offered(memory, channel)
        command = None
        if not self.build.updates:
            step = UpdateStep.OFF
        elif offer is None or (offer.file is None and self.build.kind is not PackageKind.WHEEL):
            step = UpdateStep.CURRENT
        elif self.build.kind in SELF_INSTALLED:
            step = UpdateStep.READY if self._kept(offer) else UpdateStep.AVAILABLE
        else:
            step, command = UpdateStep.MANAGED, self._command(offer)
        told = offer if step not in (UpdateStep.OFF, UpdateStep.CURRENT) else None
        return UpdateState(
            step=step,
            channel=channel,
            version=told.version if told else None,
            news=told.news if told else {},
            command=command,
            checked_at=memory.checked_at,
            failures=memory.failures,
            problem=memory.problem.error() if memory.problem else None,
            outcome=memory.outcome.error() if memory.outcome else None,
        )

    def check(self, channel: str) -> UpdateState:
        """Ask the server. Errors are stored too. Raises UpdateError, OSError, StoreError."""
        if not self.build.updates:
            raise UpdatesOff
        try:
            self._check(channel)
        except UpdateError as error:
            self._failed(error)
            raise
        return self.state(channel)

    def _check(self, channel: str) -> None:
        found: list[Release] = []
        failed: list[UpdateError] = []
        # The beta channel takes final versions too, if newer; there may be no beta at all.
        for each in ("stable",) if channel == "stable" else ("stable", "beta"):
            try:
                found += self._announced(each)
            except UpdateError as error:
                failed.append(error)
        if failed and (len(failed) > 1 or channel == "stable" or not isinstance(failed[0], UpdateUnreachable)):
            raise failed[0]
        newest = max(found, key=lambda release: Version.parse(release.version), default=None)
        file = newest.file_for(self.build.kind, this_platform()) if newest else None
        missing = newest is not None and file is None and self.build.kind is not PackageKind.WHEEL
        offer = newest and Offer(
            version=newest.version,
            channel=channel,
            news=dict(newest.news),
            file=FileEntry.model_validate(file, from_attributes=True) if file else None,
        )
        problem = ToldError.of(UpdateNoFile(version=newest.version)) if newest and missing else None
        self.memory.change(checked_at=self._clock(), failures=0, problem=problem, offer=offer)

    def _announced(self, channel: str) -> list[Release]:
        """The newest release of one channel, if it is newer than this program. Raises UpdateError."""
        address = f"{str(self.build.update_address).rstrip('/')}/{channel}.json"
        release = opened(fetch(address, most=MAX_BYTES, loopback=self.build.loopback), str(self.build.update_key))
        memory = self.memory.read()
        known = memory.seen.get(channel)
        seen = SeenVersion(known.version, known.published) if known else None
        newer = judge(release, channel=channel, installed=self._installed, seen=seen, now=self._clock())
        now_seen = SeenRelease(version=release.version, published=release.published)
        self.memory.change(seen={**memory.seen, channel: now_seen})
        return [release] if newer else []

    def download(self, channel: str) -> Path:
        """The verified file of the offered version. Raises UpdateError, OSError, StoreError."""
        offer = self._offered(self.memory.read(), channel)
        if offer is None or offer.file is None:
            raise UpdateNotReady if self.build.kind is not PackageKind.WHEEL else UpdateManaged
        try:
            path = download(ReleaseFile(**offer.file.model_dump()), self.cache, loopback=self.build.loopback)
        except UpdateError as error:
            self._failed(error)
            raise
        self.memory.change(problem=None)
        return path

    def ready(self, channel: str) -> tuple[Offer, Path] | None:
        """The installable version and its file, which must be verified once more before installation."""
        offer = self._offered(self.memory.read(), channel)
        path = self._kept(offer) if offer else None
        return (offer, path) if offer and path and self.build.updates and self.build.kind in SELF_INSTALLED else None

    def dismiss_outcome(self) -> None:
        """Dismiss the notice of a rollback; its version stays given up. Raises OSError, StoreError."""
        if self.memory.read().outcome is not None:
            self.memory.change(outcome=None)

    def sweep(self) -> None:
        """Delete downloads that are not newer than this program: they were installed by other means. Raises OSError."""
        offer = self.memory.read().offer
        newer = offer is not None and Version.parse(offer.version) > Version.parse(self._installed)
        if not newer and self.cache.is_dir():
            for path in self.cache.iterdir():
                path.unlink()

    def _offered(self, memory: Memory, channel: str) -> Offer | None:
        offer = memory.offer
        if offer is None or offer.channel != channel or memory.given_up.get(offer.version, 0) >= MOST_ATTEMPTS:
            return None
        return offer if Version.parse(offer.version) > Version.parse(self._installed) else None

    def _kept(self, offer: Offer) -> Path | None:
        path = self.cache / ReleaseFile(**offer.file.model_dump()).name if offer.file else None
        return path if path and path.is_file() else None

    def _command(self, offer: Offer) -> str:
        """The command to run in a terminal."""
        path = self._kept(offer)
        if self.build.kind is PackageKind.WHEEL:
            return "pipx upgrade my-ai-popup" if offer.channel == "stable" else "pipx upgrade --pip-args=--pre my-ai-popup"
        if path is None:
            return "ai-popup update download"
        return {PackageKind.DEB: f'sudo apt install "{path}"', PackageKind.RPM: f'sudo dnf install "{path}"'}.get(
            self.build.kind, f'msiexec /i "{path}"'
        )

    def _failed(self, error: UpdateError) -> None:
        self.memory.change(checked_at=self._clock(), failures=self.memory.read().failures + 1, problem=ToldError.of(error))


def updater_of(paths: AppPaths, build: Build) -> Updater:
    """This program's update checks."""
    return Updater(build, folder=paths.updates, cache=paths.downloads, installed=__version__, clock=lambda: datetime.now(UTC))


def channel_of(settings: Settings, build: Build) -> str:
    """The release channel of this program."""
    chosen = settings.updates.channel
    return build.channel.value if chosen is UpdateChannel.AUTO else chosen.value
