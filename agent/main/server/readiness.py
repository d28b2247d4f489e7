"""Whether this process should get requests: its database, schema, disk and models, each `ok` or an error code."""

import asyncio
import shutil
from collections.abc import Callable, Mapping
from typing import Final

from agent.core.hanging_calls import call_with_timeout
from agent.core.paths import AppPaths
from agent.core.settings import Settings
from agent.domain.errors import AgentError, ModelMissing, ModelWrongHash, SchemaNew, SchemaOld, StoreBusy, StoreDiskFull, Unexpected
from agent.library.recipes import recipe_of
from agent.main.diagnosis import LEAST_FREE
from agent.models.model_store import ModelState, ModelStore
from agent.store.database import Database
from agent.store.schema_state import SchemaState
from agent.store.upgrade import schema_state

OK: Final = "ok"
STARTING: Final = "starting"
CHECK_S: Final = 5.0
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

    async def look(self, database: Database | None) -> Mapping[str, str]:
        """What each check finds; `database` is None until it is open. Never raises."""
        now = asyncio.get_running_loop().time
        async with self._turn:
            if self._last is None or self._last[1] is not database or now() - self._last[0] > KEPT_S:
                self._last = (now(), database, await self._look(database))
            return self._last[2]

    async def _look(self, database: Database | None) -> Mapping[str, str]:
        if database is None:
            found = {"database": STARTING, "schema": STARTING}
        else:
            schema = await _answered(lambda: _schema(schema_state(database)), StoreBusy.code)
            failed = schema.removeprefix(_FAILED) if schema.startswith(_FAILED) else None
            found = {"database": failed or OK, "schema": failed or schema}
        disk = await _answered(self._disk, StoreDiskFull.code)
        models = await _answered(self._models_code, ModelMissing.code)
        return {**found, "disk": disk.removeprefix(_FAILED), "models": models.removeprefix(_FAILED)}

    def _disk(self) -> str:
        return OK if shutil.disk_usage(self._paths.data).free >= LEAST_FREE else StoreDiskFull.code

    def _models_code(self) -> str:
        needed = recipe_of(self._settings()).models
        states = [info.state for info in self._models.list() if info.recipe in needed]
        return next((_MODEL_STATES[state] for state in states if state is not ModelState.PRESENT), OK)


_FAILED: Final = "failed:"


async def _answered(question: Callable[[], str], silent: str) -> str:
    """The answer; after `_FAILED` the code of the error, or `silent` if there is no answer in time."""
    try:
        return await call_with_timeout(question, CHECK_S)
    except TimeoutError:
        return _FAILED + silent
    except AgentError as error:
        return _FAILED + error.code
    except Exception:  # a check that fails itself is a finding too
        return _FAILED + Unexpected.code


def _schema(state: SchemaState) -> str:
    if state.fits:
        return OK
    return SchemaNew.code if state.newer else SchemaOld.code
