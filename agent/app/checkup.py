"""Gathers the health checks of the doctor, the status page and the support bundle."""

import asyncio
from collections.abc import Callable, Mapping, Sequence

from agent.app.app import App
from agent.app.diagnosis import DiagnosticsContext
from agent.app.engines import model_store
from agent.app.health import Check, Finding, Health
from agent.app.library_home import home_of_key, served_library
from agent.app.metric_families.thresholds import ENGINE
from agent.app.support_bundle import support_bundle
from agent.domain.errors import EngineMemory, NoDisplay, ProcessMemory, UpdatesOff
from agent.features.redaction.queries.redaction_queries import RedactionQueries
from agent.features.updates.releases import UpdateStep
from agent.features.updates.updater import channel_of, updater_of
from agent.inference.engine.devices import DeviceNote, by_onnx_runtime
from agent.inference.engine.sandbox.report import Sandbox
from agent.infrastructure.core.i18n import Texts
from agent.infrastructure.core.memory_guard import MB, MemoryGuard, ProcessKind
from agent.infrastructure.core.package_info import read_build
from agent.infrastructure.core.paths import AppPaths
from agent.infrastructure.core.settings import Settings


def diagnostics_context(
    paths: AppPaths,
    settings: Callable[[], Settings],
    texts: Callable[[], Texts],
    library: RedactionQueries | None = None,
    *,
    served: bool = False,
) -> DiagnosticsContext:
    """The inputs of the doctor; `library` if this process has it open, `served` if it is that of a team server beside this process."""
    return DiagnosticsContext(
        paths,
        model_store(paths),
        settings=settings,
        texts=texts,
        home=lambda now: home_of_key(now, paths),
        library=library,
        served=(lambda now: served_library(now, paths)) if served else None,
    )


def engine_words(device: str, precision: str, note: DeviceNote | None, texts: Texts) -> str:
    """The engine's device, and the reason if it is a fallback."""
    found = f"{'ONNX Runtime' if by_onnx_runtime(device) else 'OpenVINO'}, {device}, {precision}"
    return found if note is None else texts("ui.sentences", cause=f"{found}.", remedy=note.text(texts))


def update_check(paths: AppPaths, settings: Callable[[], Settings], texts: Callable[[], Texts]) -> Check:
    """The stored update state; makes no network request."""

    def known() -> str:
        build, now = read_build(), settings()
        state = updater_of(paths, build).state(channel := channel_of(now, build))
        if state.step is UpdateStep.OFF:
            raise UpdatesOff
        if (error := state.outcome or state.problem) is not None:
            raise error
        said = "unwanted" if not now.updates.enabled else state.step.value
        return texts()(f"cli.update.{said}", version=state.version or "", channel=texts()(f"cli.update.{channel}"))

    return known


def memory_check(guard: MemoryGuard, texts: Callable[[], Texts]) -> Check:
    """What each process took when it was last measured. Raises ProcessMemory for ten minutes after one took too much."""

    def measured() -> str:
        if (error := guard.warning.value) is not None:
            raise error
        return _memory_words({each.kind: (each.memory, each.limit) for each in guard.readings}, texts())

    return measured


def memory_beside(largest: Mapping[str, int], limits: Mapping[str, int], texts: Texts) -> str:
    """What the largest process of each kind takes, beside what it may, both in bytes. Raises ProcessMemory, EngineMemory beyond."""
    for kind, limit in limits.items():
        if (found := largest.get(kind, 0)) > limit:
            sizes = {"megabytes": found // MB, "limit": limit // MB}
            raise EngineMemory(**sizes) if kind == ENGINE else ProcessMemory(**{kind: 1}, kind=kind, **sizes)
    return _memory_words({kind: (found, limits.get(kind, 0)) for kind, found in largest.items() if kind in (*ProcessKind, ENGINE)}, texts)


def _memory_words(found: Mapping[str, tuple[int, int]], texts: Texts) -> str:
    said = []
    for kind, (memory, limit) in found.items():
        sizes = {"megabytes": memory // MB, **({"limit": limit // MB} if limit else {})}
        said.append(texts(f"cli.doctor.memory_of{'' if limit else '_unlimited'}", kind=texts(f"cli.doctor.memory_kinds.{kind}"), **sizes))
    return texts("ui.list_separator").join(said)


def checks(
    standing: DiagnosticsContext,
    texts: Callable[[], Texts],
    *,
    engine: Check,
    wall: Callable[[], Sandbox],
    updates: Check,
    running: Mapping[str, Check] | None = None,
    desktop: bool = True,
) -> dict[str, Check]:
    """All checks of the doctor, in order; without `desktop` those of a server. `running` are those of a program in another process."""

    def walled() -> str:
        return texts()("cli.doctor.walled", by=wall().check())

    def display() -> str:
        from agent.desktop.system.display import display_available

        if not display_available():
            raise NoDisplay
        return texts()("cli.doctor.there")

    def tray() -> str:
        from agent.desktop.system.display import tray_available, why_no_tray

        if not tray_available():
            raise why_no_tray()
        return texts()("cli.doctor.there")

    own: dict[str, Check] = {"engine": engine, "wall": walled}
    if desktop:
        own |= {"display": display, "tray": tray, "updates": updates, "backups": standing.second_place}
    return {**standing.checks(), **own, **(running or {})}


def health(app: App, paths: AppPaths, texts: Callable[[], Texts], version: str, *, network: Mapping[str, Check] | None = None) -> Health:
    """The health of the running agent, or with `network` of a server. Call it inside the event loop; the result is used in threads."""
    loop = asyncio.get_running_loop()
    standing = diagnostics_context(paths, lambda: app.settings, texts, app.library)

    def engine() -> str:
        device, precision = asyncio.run_coroutine_threadsafe(app.monitor.engine.try_out(), loop).result()
        return engine_words(device, precision, app.monitor.engine.device_note, texts())

    def wall() -> Sandbox:
        return asyncio.run_coroutine_threadsafe(app.monitor.engine.wall(), loop).result()

    def bundle(findings: Sequence[Finding]) -> bytes:
        counts = None if any(finding.name == "library" and finding.error for finding in findings) else app.library.counts()
        return support_bundle(version, app.settings, findings, counts, standing.models(), paths.logs)

    found = checks(
        standing, texts, engine=engine, wall=wall, updates=update_check(paths, lambda: app.settings, texts), desktop=network is None
    )
    return Health(
        found | {"memory": memory_check(app.memory, texts), **(network or {})},
        standing.models,
        standing.disk,
        standing.last_backup,
        bundle,
    )
