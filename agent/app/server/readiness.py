"""Whether this process should get requests: its database, schema, disk and models, each `ok` or an error code."""

import asyncio
import shutil
from collections.abc import Callable, Mapping
from typing import Final

from agent.app.diagnosis import LEAST_FREE
from agent.domain.errors import (
    AgentError,
    ModelMissing,
    ModelWrongHash,
    SchemaNew,
    SchemaOld,
    StoreBusy,
    StoreDiskFull,
    StoreTooOld,
    Unexpected,
)
from agent.features.library.recipes import recipe_of
from agent.features.models.model_store import ModelState, ModelStore
from agent.infrastructure.core.coalescing import SingleFlight
from agent.infrastructure.core.paths import AppPaths
from agent.infrastructure.core.settings import Settings
from agent.infrastructure.store.database import Database
from agent.infrastructure.store.migrator import schema_state
from agent.infrastructure.store.schema_version import SchemaState

OK: Final = "ok"
STARTING: Final = "starting"
CHECK_S: Final = 3.0
KEPT_S: Final = 1.0  # so that many probes cost as much as one
_MODEL_STATES: Final = {ModelState.MISSING: ModelMissing.code, ModelState.DAMAGED: ModelWrongHash.code}


class Readiness:
    """The checks, without names or paths."""

    def __init__(self, paths: AppPaths, models: ModelStore, settings: Callable[[], Settings]) -> None:
        self._paths = paths
        self._models = models
        self._settings = settings
        self._turn = asyncio.Lock()
        self._last: tuple[float, Database | None, Mapping[str, str]] | None = None
        self._checks = {"disk": SingleFlight(self._disk, CHECK_S), "models": SingleFlight(self._models_code, CHECK_S)}
        self._schema: tuple[Database, SingleFlight[str]] | None = None

    async def look(self, database: Database | None) -> Mapping[str, str]:
        """What each check finds; `database` is None until it is open. Never raises."""
        now = asyncio.get_running_loop().time
        async with self._turn:
            if self._last is None or self._last[1] is not database or now() - self._last[0] > KEPT_S:
                found = await self._look(database)
                self._last = (now(), database, found)
            return self._last[2]

    async def _look(self, database: Database | None) -> Mapping[str, str]:
        schema, disk, models = await asyncio.gather(
            self._of(database),
            _answered(self._checks["disk"], StoreDiskFull.code),
            _answered(self._checks["models"], ModelMissing.code),
        )
        return {**schema, "disk": disk.removeprefix(_FAILED), "models": models.removeprefix(_FAILED)}

    async def _of(self, database: Database | None) -> Mapping[str, str]:
        if database is None:
            return {"database": STARTING, "schema": STARTING}
        if self._schema is None or self._schema[0] is not database:
            self._schema = (database, SingleFlight(lambda: _schema(schema_state(database)), CHECK_S))
        found = await _answered(self._schema[1], StoreBusy.code)
        failed = found.removeprefix(_FAILED) if found.startswith(_FAILED) else None
        return {"database": failed or OK, "schema": failed or found}

    def _disk(self) -> str:
        return OK if shutil.disk_usage(self._paths.data).free >= LEAST_FREE else StoreDiskFull.code

    def _models_code(self) -> str:
        needed = recipe_of(self._settings()).models
        states = [info.state for info in self._models.list() if info.recipe in needed]
        return next((_MODEL_STATES[state] for state in states if state is not ModelState.PRESENT), OK)


_FAILED: Final = "failed:"


async def _answered(question: SingleFlight[str], silent: str) -> str:
    """The answer; after `_FAILED` the code of the error, or `silent` if there is no answer in time."""
    try:
        return await question.wait()
    except TimeoutError:
        return _FAILED + silent
    except AgentError as error:
        return _FAILED + error.code
    except Exception:  # a check that fails itself is a finding too
        return _FAILED + Unexpected.code


def _schema(state: SchemaState) -> str:
    if state.fits:
        return OK
    if state.too_old:
        return StoreTooOld.code
    return SchemaNew.code if state.newer else SchemaOld.code
