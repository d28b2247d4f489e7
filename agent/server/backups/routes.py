"""Routes of a server's backups."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from fastapi import FastAPI

from agent.infrastructure.core.i18n import Texts
from agent.interfaces.web.access import Scope, needs
from agent.interfaces.web.schemas import Problem
from agent.server.backups.schemas import BackupRunOut, BackupsMade, BackupsOut, BackupWanted, BaseBackupOut, BaseBackups
from agent.server.backups.service import ServerBackups

_READ: Final = needs(Scope.SYSTEM_READ)
_MANAGE: Final = needs(Scope.BACKUPS_MANAGE)


def backup_routes(api: FastAPI, backups: ServerBackups, texts: Callable[[], Texts], clock: Callable[[], datetime]) -> None:
    """Add the routes to `api`."""

    @api.get("/api/backups", openapi_extra=_READ)
    async def state() -> BackupsOut:
        """Return what the repositories hold, and what is due next."""
        return BackupsOut.of(await backups.state(), texts(), clock())

    @api.get("/api/backups/bases", openapi_extra=_READ)
    async def bases() -> BaseBackups:
        """Return the base backups in each repository, newest first."""
        found = (await backups.state()).repositories
        return BaseBackups(items=tuple(BaseBackupOut.from_record(each) for repository in found for each in repository.backups))

    @api.post("/api/backups", openapi_extra=_MANAGE)
    async def now(wanted: BackupWanted) -> BackupsMade:
        """Back up everything into each repository, and answer when it is done."""
        made = await backups.now(full=wanted.full, verify=wanted.verify)
        problems = tuple(Problem.of(each, texts()) for each in made.problems)
        return BackupsMade(runs=tuple(map(BackupRunOut.of, made.runs)), problems=problems)

    @api.post("/api/backups/drill", openapi_extra=_MANAGE)
    async def drill() -> BackupRunOut:
        """Restore the newest backups beside the database, compare, and answer when it is done."""
        return BackupRunOut.of(await backups.drill())
