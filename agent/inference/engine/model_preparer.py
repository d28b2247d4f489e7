"""Converts and compiles models in a process that sees no photo, and verifies the files before each use.

An engine decodes untrusted files, and may be taken over by one. So it may only read what later engines load: the files are
created by a process that never sees a photo, in its own folder, and copied from there; their hashes are stored and compared each time.
"""

import asyncio
import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import structlog

from agent import __version__
from agent.domain.errors import AgentError
from agent.inference.engine import engine_calls as calls
from agent.inference.engine.engine_calls import EngineConfig
from agent.inference.engine.rpc import RpcCall
from agent.inference.engine.selftest_runs import library_versions
from agent.infrastructure.core.files import error_code
from agent.infrastructure.core.scratch_folders import scratch_folder

log = structlog.get_logger()

_LIMIT_S = 120.0
_KEPT = 4
_IR, _KERNELS, _HASHES = "ir", "kernels", "hashes.json"


class ModelPreparer:
    """Use it from one event loop. `folder` belongs to the agent: no engine may write there."""

    def __init__(self, folder: Path, command: Sequence[str], *, earlier: Sequence[Path] = ()) -> None:
        """`command` starts an engine's process; `earlier` are folders of versions that trusted engines, which are removed."""
        self._folder = folder
        self._process = RpcCall(command)
        self._earlier = earlier
        self._turn = asyncio.Lock()
        self._failed: set[str] = set()  # not retried before the next start

    async def ready(self, config: EngineConfig) -> EngineConfig:
        """Return `config` with the prepared files; without them if preparing fails: the engine then converts and compiles for itself."""
        key = _key(config)
        async with self._turn:
            place = self._folder / key
            if not config.models or key in self._failed:
                return replace(config, converted="", cache="")
            if not await asyncio.to_thread(_sound, place) and not await self._prepare(config, place):
                self._failed.add(key)
                return replace(config, converted="", cache="")
        return replace(config, converted=str(place / _IR), cache=str(place / _KERNELS))

    async def close(self) -> None:
        """End running work."""
        await self._process.close()

    async def _prepare(self, config: EngineConfig, place: Path) -> bool:
        held = ExitStack()
        try:
            staging = await asyncio.to_thread(held.enter_context, scratch_folder("models"))
        except OSError:
            return False
        try:
            made = replace(config, converted=str(staging / _IR), cache=str(staging / _KERNELS))
            await self._process.ask(calls.PREPARE, made, limit=_LIMIT_S)
            for folder in self._earlier:
                await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
            await asyncio.to_thread(_keep, staging, place)
            return await asyncio.to_thread(_sound, place)
        except (AgentError, OSError) as error:
            log.warning("models.unprepared", code=error_code(error), kind=type(error).__name__)
            return False
        finally:
            await asyncio.to_thread(held.close)


def _key(config: EngineConfig) -> str:
    """Return a hash of everything the files depend on; used as a folder name."""
    models = {recipe: file.sha256 for recipe, file in config.models.items()}
    told = [models, config.device, config.precision, config.threads, library_versions(), __version__]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:32]


def _sound(place: Path) -> bool:
    """Return whether the files are exactly the stored ones, each with its hash."""
    try:
        wanted = json.loads((place / _HASHES).read_bytes())
        return isinstance(wanted, dict) and bool(wanted) and _hashes(place) == wanted
    except (OSError, ValueError):
        return False


def _hashes(place: Path) -> Mapping[str, str]:
    return {
        f"{folder}/{path.name}": hashlib.sha256(path.read_bytes()).hexdigest()
        for folder in (_IR, _KERNELS)
        for path in sorted((place / folder).iterdir())
    }


def _keep(staging: Path, place: Path) -> None:
    """Copy them, because a moved file keeps its owner's permissions on Windows. Atomic; of older ones the newest stay."""
    fresh = place.with_name(f".{uuid4().hex}")
    try:
        for folder in (_IR, _KERNELS):
            (fresh / folder).mkdir(parents=True)
            for made in (staging / folder).iterdir():
                if made.is_file() and not made.is_symlink():
                    (fresh / folder / made.name).write_bytes(made.read_bytes())
        (fresh / _HASHES).write_text(json.dumps(_hashes(fresh)), encoding="ascii")
        if not _sound(place):  # another of the agent's preparers may have been first
            shutil.rmtree(place, ignore_errors=True)
            fresh.rename(place)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    others = sorted((path for path in place.parent.iterdir() if path != place and path.is_dir()), key=lambda path: path.stat().st_mtime)
    for path in others[: max(0, len(others) - _KEPT + 1)]:
        shutil.rmtree(path, ignore_errors=True)
