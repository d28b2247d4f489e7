"""Looks at what the program stands on: settings, folders, disk, key, library, models, and the system's limit of watches."""

import os
import shutil
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, closing, suppress
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from agent.app.health import Check, DiskFacts, ModelFacts, to_file
from agent.app.library_home import server_url
from agent.domain.errors import AuditBroken, KeyHomeError, SourceUnreachable, StoreDamaged, StoreDiskFull, StoreError
from agent.features.library.recipes import everything, recipe_of
from agent.features.library.records import Counts
from agent.features.models.model_store import ModelStore
from agent.features.people.legal_thresholds import FILING_PEOPLE
from agent.features.redaction.queries.redaction_queries import RedactionQueries
from agent.infrastructure.core.abandonable_calls import answered
from agent.infrastructure.core.i18n import Texts
from agent.infrastructure.core.paths import AppPaths
from agent.infrastructure.core.service_context import utc_now
from agent.infrastructure.core.settings import Settings
from agent.infrastructure.store.audit_anchor import AuditAnchor
from agent.infrastructure.store.backup import BackupStore
from agent.infrastructure.store.database import Database
from agent.infrastructure.store.keys import LibraryKeys
from agent.infrastructure.store.open_library import BACKUPS_FOLDER, open_library
from agent.infrastructure.store.secret_stores import Home

LEAST_FREE = 500 * 1024 * 1024
T = TypeVar("T")
_WATCHES = Path("/proc/sys/fs/inotify/max_user_watches")


class DiagnosticsContext:
    """Asks the things themselves, at each call anew. All block."""

    def __init__(
        self,
        paths: AppPaths,
        models: ModelStore,
        *,
        settings: Callable[[], Settings],
        texts: Callable[[], Texts],
        home: Callable[[Settings], Home],
        library: RedactionQueries | None = None,
        served: Callable[[Settings], AbstractContextManager[Database]] | None = None,
    ) -> None:
        """`settings` reads them and raises SettingsError; `library` where this process has it open; `served` opens a team server's, for
        a process beside the server.
        """
        self._paths = paths
        self._models = models
        self._settings = settings
        self._texts = texts
        self._home = home
        self._library = library
        self._served = served

    def checks(self) -> dict[str, Check]:
        """By name, in the order in which one thing needs the other."""
        return {
            "settings": self._check_settings,
            "folders": self._check_folders,
            "disk": self._check_disk,
            "key": self._check_key,
            "library": self._check_library,
            "filing": self._check_filing,
            "models": self._check_models,
            "watches": self._check_watches,
        }

    def models(self) -> tuple[ModelFacts, ...]:
        """Those that look at photos, or would if recognition were on: the samples don't, nor does a detector that was not chosen."""
        wanted = everything(self._settings()).models
        return tuple(
            ModelFacts(info.name, info.role, info.state.value, info.licence, info.sha256)
            for info in self._models.list()
            if info.recipe in wanted
        )

    def disk(self) -> DiskFacts:
        library, backups = self._paths.library, self._paths.library / BACKUPS_FOLDER
        kept = _size(backups)
        elsewhere = self._library.database.size_elsewhere() if self._library is not None else 0
        return DiskFacts(
            free=shutil.disk_usage(self._paths.data).free,
            library=_size(library) - kept + elsewhere,
            thumbnails=sum(_size(path) for path in self._paths.cache.glob("thumbnails*")),
            backups=kept,
        )

    def last_backup(self) -> datetime | None:
        backups = BackupStore(self._paths.library, self._home(self._settings()), keep=1).list()
        return backups[0].at if backups else None

    def second_place(self) -> str:
        """Return when it got the last backup. Raises OffsiteNotSet, OffsiteLate."""
        from agent.server.backups.desktop import check

        return f"{check(self._settings(), self._paths, utc_now()).astimezone():%Y-%m-%d %H:%M}"

    def _check_settings(self) -> str:
        self._settings()
        return self._texts()("cli.doctor.settings_valid")  # no path: what the doctor says is sent to strangers

    def _check_folders(self) -> str:
        folders = [Path(folder.path).expanduser() for folder in self._settings().folders]

        def look() -> None:
            if not all(folder.is_dir() and os.access(folder, os.R_OK | os.X_OK) for folder in folders):
                raise SourceUnreachable

        answered(look)
        return f"{len(folders):,}"

    def _check_disk(self) -> str:
        self._paths.create()
        free = shutil.disk_usage(self._paths.data).free
        if free < LEAST_FREE:
            raise StoreDiskFull
        return f"{free / 1e9:,.1f} GB"

    def _check_key(self) -> str:
        settings = self._settings()
        home = self._home(settings)
        keys = LibraryKeys(self._paths.library, home)
        if keys.exist:
            keys.unlock()
        else:
            home.read("doctor")  # only whether it answers
        return settings.library.key_home.value

    def _check_library(self) -> str:
        counts = self._of_library(self._sound)
        if counts is None:
            return self._texts()("cli.doctor.none_yet")
        return self._texts().counted("cli.status.library", photos=counts.images, faces=counts.faces, people=counts.people)

    def _check_filing(self) -> str:
        due = self._of_library(to_file)
        if due is not None:
            raise due
        return self._texts()("cli.doctor.not_due", people=FILING_PEOPLE)

    def _sound(self, library: RedactionQueries) -> Counts:
        """Raises StoreDamaged, AuditBroken."""
        if not library.database.sound():
            raise StoreDamaged(**self._restorable(library))
        broken = library.audit_broken_at(AuditAnchor(self._paths.library).read())
        if broken is not None:
            raise AuditBroken(row=broken)
        return library.counts()

    def _restorable(self, library: RedactionQueries) -> dict[str, int | str]:
        """The parameters of StoreDamaged that name the backup to restore; none without one."""
        try:
            offer = BackupStore(self._paths.library, self._home(self._settings()), keep=1).offer(library.database)
        except (StoreError, KeyHomeError):
            return {}
        facts: dict[str, int | str] = {"backup": f"{offer.backup.at.astimezone():%Y-%m-%d %H:%M}", "photos": offer.photos}
        return facts if offer.newer is None else {"newer": offer.newer[0], "edits": offer.newer[1], **facts}

    def _of_library(self, ask: Callable[[RedactionQueries], T]) -> T | None:
        """None if there is no library yet."""
        if self._library is not None:
            return ask(self._library)
        settings = self._settings()
        home = self._home(settings)
        if not LibraryKeys(self._paths.library, home).exist:
            if settings.server.database and self._served is not None:
                server_url(settings, self._paths)  # before its first start the server's database has to answer, too
            return None
        with self._own_library(home) if self._served is None else self._served(settings) as database:
            return ask(RedactionQueries(database))

    def _own_library(self, home: Home) -> AbstractContextManager[Database]:
        try:
            return closing(open_library(self._paths.library, home))
        except StoreDamaged as error:
            raise BackupStore(self._paths.library, home, keep=1).unopened() from error

    def _check_models(self) -> str:
        needed = recipe_of(self._settings()).models
        infos = [info for info in self._models.list() if info.recipe in needed]
        for info in infos:
            self._models.path(info.name)  # raises if it is missing or damaged
        return ", ".join(f"{info.name} ({info.licence})" for info in infos)

    def _check_watches(self) -> str:
        if not sys.platform.startswith("linux"):
            return self._texts()("cli.doctor.there")
        return f"{int(_WATCHES.read_text(encoding='ascii')):,}"


def _size(path: Path) -> int:
    """Bytes of a file, or of all files below a folder; nothing if it is not there."""
    total = 0
    for file in path.rglob("*") if path.is_dir() else [path]:
        with suppress(OSError):
            if file.is_file():
                total += file.stat().st_size
    return total
